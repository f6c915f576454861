#pragma once
// log p(x), estimated by many draws from q(z|x), and which units of z say something. A model has
//   posterior(x): mu and log_sigma of q(z|x), each (batch, latent)
//   log_weights(x, posterior, noise): log p(x, z) - log q(z|x) of z = mu + sigma noise, (samples, batch)

#include <tapegrad/tapegrad.hpp>
#include <vector>

#include "statistics.hpp"

namespace examples {

namespace tg = tapegrad;

/// q(z|x) = N(mu, sigma^2), axis by axis.
struct Posterior {
  tg::Var mu, log_sigma;
};

/// Minus log 1/k sum_i p(x, z_i) / q(z_i|x) over a set of images, k in the thousands: as much of it as is done.
struct Likelihood {
  tg::Rng noise;
  tg::Index next = 0;  ///< image
  double total = 0;    ///< nats, of the images before

  template <class Checkpoint>
  void add_to(Checkpoint& state, const std::string& name) {
    state.add(name + ".noise", noise).add(name + ".next", next).add(name + ".total", total);
  }

  /// Goes on to the end of `images`, a few images and samples at a time; `after_batch()` is called after each few.
  /// Returns the mean, in nats per image.
  template <class Model, class AfterBatch>
  double run(Model& model, tg::ConstTensorView images, int samples, const AfterBatch& after_batch) {
    constexpr tg::Index images_at_once = 10, samples_at_once = 50;
    const tg::Index count = images.shape()[0], width = images.shape()[1];
    tg::Tape tape;
    const auto guard = tape.no_grad();
    while (next < count) {
      const tg::ConstTensorView x(images.data() + next * width, {std::min(images_at_once, count - next), width});
      tape.reset();
      const Posterior q = model.posterior(tape.borrow(x));
      const tg::Tensor mu(q.mu.value()), log_sigma(q.log_sigma.value());
      std::vector<tg::nn::LogMeanExp> bounds(static_cast<std::size_t>(x.shape()[0]));
      for (tg::Index left = samples; left > 0; left -= samples_at_once) {
        tape.reset();
        const tg::Var eps = tape.randn({std::min(left, samples_at_once), mu.shape()[0], mu.shape()[1]}, noise);
        const Posterior again{tape.borrow(mu), tape.borrow(log_sigma)};
        const tg::ConstTensorView weights = model.log_weights(tape.borrow(x), again, eps).value();
        for (tg::Index i = 0; i < weights.size(); ++i)
          bounds[static_cast<std::size_t>(i) % bounds.size()].add(weights.data()[i]);
      }
      for (const auto& bound : bounds) total -= bound.value();
      next += x.shape()[0];
      after_batch();
    }
    return total / static_cast<double>(count);
  }
};

/// For each unit of z whether its posterior mean varies from image to image, by more than 0.01 (Burda et al., 5.3).
template <class Model>
std::vector<bool> active_units(Model& model, tg::ConstTensorView images) {
  tg::Tape tape;
  const auto guard = tape.no_grad();
  const tg::ConstTensorView mu = model.posterior(tape.borrow(images)).mu.value();
  const auto active = (column_variances(mu.matrix().cast<double>().array()) > 0.01).eval();
  return {active.begin(), active.end()};
}

}  // namespace examples
