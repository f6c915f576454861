// How `iwae` begins; and what it says of units of z, on models whose units are known to say something or not.

#include "../../examples/common/iwae.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>

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

TEST_CASE("iwae's weights begin within Glorot's bounds, and its output at the mean image") {
  tg::Rng rng(1);
  Iwae model(rng);
  std::vector<std::uint8_t> pixels(5 * 784, 0);
  for (std::size_t image = 0; image < 5; ++image) pixels[image * 784 + 1] = 255;  // the second is lit in every image,
  pixels[2] = 255;                                                                // the third in one of five
  model.show_mean_image({pixels, 5, 28, 28, {0, 1, 2, 3, 4}});
  const auto probability = [&](tg::Index pixel) {
    return 1 / (1 + std::exp(-double{model.pixels.bias->value()[pixel]}));
  };
  CHECK(probability(0) == Approx(0.001));
  CHECK(probability(1) == Approx(0.999));
  CHECK(probability(2) == Approx(0.2));
  for (const auto& [name, parameter] : model.named_parameters()) {
    if (parameter->value().shape().rank() != 2) continue;
    const auto weights = parameter->value().matrix().array();
    const double bound = std::sqrt(6.0 / static_cast<double>(weights.rows() + weights.cols()));
    INFO(name);
    CHECK(weights.abs().maxCoeff() <= bound);
    CHECK(weights.abs().maxCoeff() > 0.99 * bound);
  }
}

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
