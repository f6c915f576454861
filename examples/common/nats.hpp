#pragma once

#include <string>
#include <tapegrad/tapegrad.hpp>

namespace examples {

namespace tg = tapegrad;

/// The two terms of -ELBO for one batch, summed over its images, in nats.
struct Elbo {
  tg::Var reconstruction;  ///< -log p(x|z): the distortion
  tg::Var kl;              ///< KL(q(z|x) || p(z)): the rate
};

/// The Elbo of what has no rate.
inline Elbo without_kl(tg::Var reconstruction) {
  return {reconstruction, reconstruction.tape().constant(tg::Tensor(tg::Shape{}))};
}

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

  /// Its part of an io::Checkpoint.
  template <class Checkpoint>
  void add_to(Checkpoint& state, const std::string& name) {
    state.add(name + ".reconstruction", sum_.reconstruction).add(name + ".kl", sum_.kl).add(name + ".images", images_);
  }

 private:
  Nats sum_;
  int images_ = 0;
};

}  // namespace examples
