// What `iwae` says of units of z, on models whose units are known to say something or not.

#include "../../examples/common/iwae.hpp"

#include <algorithm>

#include "catch.hpp"

using namespace examples;

namespace {

/// Its code of an image is the image.
struct Copying {
  Posterior posterior(tg::Var x) { return {x, x}; }
};

/// A model of random weights whose last three units say nothing: they have one posterior for all images, which is not
/// the prior, and the decoder does not look at them.
void silence(Iwae& model) {
  for (int unit = Iwae::latent - 3; unit < Iwae::latent; ++unit) {
    for (tg::nn::Linear* layer : {&model.mu, &model.log_sigma}) {
      layer->weight.mutable_value().matrix().row(unit).setZero();
      layer->bias->mutable_value()[unit] = tg::Scalar(0.2);
    }
    model.decode1.weight.mutable_value().matrix().col(unit).setZero();
  }
}

double negative_log_likelihood(Iwae& model, tg::ConstTensorView images) {
  return Likelihood{tg::Rng(3)}.run(model, images, 1000, [] {});
}

}  // namespace

TEST_CASE("a unit is active if its mean varies by more than 0.01 from image to image") {
  Copying model;
  const tg::Tensor images({2, 3}, {5, 1, 1, 5, 1.1875, 1.21875});  // variances 0, 0.0088 and 0.0120
  CHECK(active_units(model, images) == std::vector<bool>{false, false, true});
}

TEST_CASE("without the units that say nothing, the likelihood is what it was") {
  tg::Rng rng(1);
  Iwae model(rng);
  silence(model);
  tg::Tensor images({20, 784});
  rng.uniform(images);
  const std::vector<bool> active = active_units(model, images);
  CHECK(std::count(active.begin(), active.end(), true) > Iwae::latent / 2);
  for (std::size_t unit = active.size() - 3; unit < active.size(); ++unit) CHECK_FALSE(active[unit]);

  const double whole = negative_log_likelihood(model, images);
  std::vector<bool> said(active.size(), true);
  std::fill(said.end() - 3, said.end(), false);
  cut_units(model, said);
  CHECK(negative_log_likelihood(model, images) == Approx(whole).margin(0.2));
  cut_units(model, std::vector<bool>(active.size(), false));
  CHECK(std::abs(negative_log_likelihood(model, images) - whole) > 1);  // those that do say something are missed
}
