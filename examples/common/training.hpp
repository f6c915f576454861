#pragma once

#include <cmath>
#include <stdexcept>
#include <tapegrad/tapegrad.hpp>

#include "progress.hpp"

namespace examples {

namespace tg = tapegrad;

/// The two terms of -ELBO for one batch, summed over its images, in nats.
struct Elbo {
  tg::Var reconstruction;  ///< -log p(x|z): the distortion
  tg::Var kl;              ///< KL(q(z|x) || p(z)): the rate
};

/// Nats per image.
struct Nats {
  double reconstruction = 0;
  double kl = 0;
  /// -ELBO, whatever weight the KL had in training.
  double loss() const { return reconstruction + kl; }
};

/// Adds up the terms of batches and divides by the number of images.
class Mean {
 public:
  void add(const Elbo& elbo, int images) {
    sum_.reconstruction += elbo.reconstruction.item();
    sum_.kl += elbo.kl.item();
    images_ += images;
  }
  Nats value() const { return {sum_.reconstruction / images_, sum_.kl / images_}; }

 private:
  Nats sum_;
  int images_ = 0;
};

/// One pass of training: steps on (reconstruction + beta * KL) / images. `objective(x)` gives a batch's Elbo.
/// Returns the mean of the batches' own losses, which the weights changed under; throws once that is no number.
template <class Objective>
Nats train_epoch(tg::Tape& tape, tg::data::Batches<tg::data::ImageDataset>& batches, tg::optim::Optimizer& optimizer,
                 double beta, Progress& progress, const Objective& objective) {
  Mean mean;
  for (const auto& batch : batches) {
    tape.reset();
    const Elbo elbo = objective(tape.constant(batch.images));
    optimizer.zero_grad();
    ((elbo.reconstruction + beta * elbo.kl) / batch.size()).backward();
    optimizer.step();
    mean.add(elbo, batch.size());
    progress.add(batch.size());
    if (!std::isfinite(mean.value().loss()))
      throw std::runtime_error("the loss is no longer a number; try a lower --lr");
  }
  return mean.value();
}

/// The mean over a whole set, without training.
template <class Objective>
Nats evaluate(tg::Tape& tape, tg::data::Batches<tg::data::ImageDataset>& batches, const Objective& objective) {
  Mean mean;
  for (const auto& batch : batches) {
    tape.reset();
    const auto guard = tape.no_grad();
    mean.add(objective(tape.constant(batch.images)), batch.size());
  }
  return mean.value();
}

}  // namespace examples
