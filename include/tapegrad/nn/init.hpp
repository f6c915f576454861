#pragma once
// Initial values of parameters. A scheme is made by a function of this file, or is any callable of the user's:
//   nn::Linear fc(rng, 784, 512, {.weight_init = nn::init::xavier_uniform(), .bias_init = nn::init::zeros()});

#include <cmath>
#include <functional>

#include "../core/random.hpp"

namespace tapegrad::inline TAPEGRAD_ABI::nn {

/// Fills a parameter with its initial value.
using Init = std::function<void(TensorView, Rng&)>;

namespace init {

/// How many inputs an output of a layer depends on, and how many outputs an input goes to.
struct Fans {
  double in;
  double out;
};
/// Those of a weight of shape (out, in, ...); the lengths of further axes multiply both. Throws ShapeError for fewer
/// than two axes, or an axis of length 0.
inline Fans fans(const Shape& weight) {
  detail::require<ShapeError>(weight.rank() >= 2 && !weight.empty(), "init: a weight of shape ", weight,
                              " has no fan-in and fan-out; it must be (out, in, ...), none of them 0");
  const double inner = static_cast<double>(weight.size() / weight[0] / weight[1]);
  return {static_cast<double>(weight[1]) * inner, static_cast<double>(weight[0]) * inner};
}

/// All elements are `value`.
inline Init constant(double value) {
  return [=](TensorView out, Rng&) { out.fill(value); };
}
/// All elements are 0.
inline Init zeros() { return constant(0); }
/// All elements are 1.
inline Init ones() { return constant(1); }

/// Uniform in [low, high), as `Rng::uniform`.
inline Init uniform(double low, double high) {
  return [=](TensorView out, Rng& rng) { rng.uniform(out, low, high); };
}
/// N(mean, std^2).
inline Init normal(double mean, double std) {
  return [=](TensorView out, Rng& rng) { rng.normal(out, mean, std); };
}

/// Glorot and Bengio (2010): uniform, with variance 2 gain^2 / (in + out), for layers before tanh and sigmoid. Like the
/// others that ask for fans, it throws ShapeError for a bias.
inline Init xavier_uniform(double gain = 1) {
  return [=](TensorView out, Rng& rng) {
    const Fans fan = fans(out.shape());
    const double bound = gain * std::sqrt(6 / (fan.in + fan.out));
    rng.uniform(out, -bound, bound);
  };
}
/// A normal distribution of the same variance, 2 gain^2 / (in + out).
inline Init xavier_normal(double gain = 1) {
  return [=](TensorView out, Rng& rng) {
    const Fans fan = fans(out.shape());
    rng.normal(out, 0, gain * std::sqrt(2 / (fan.in + fan.out)));
  };
}

/// He et al. (2015): uniform, with variance 2 / ((1 + slope^2) in), for layers before ReLU (slope 0) or LeakyReLU.
inline Init kaiming_uniform(double slope = 0) {
  return [=](TensorView out, Rng& rng) {
    const double bound = std::sqrt(6 / ((1 + slope * slope) * fans(out.shape()).in));
    rng.uniform(out, -bound, bound);
  };
}
/// A normal distribution of the same variance, 2 / ((1 + slope^2) in).
inline Init kaiming_normal(double slope = 0) {
  return [=](TensorView out, Rng& rng) {
    rng.normal(out, 0, std::sqrt(2 / ((1 + slope * slope) * fans(out.shape()).in)));
  };
}

}  // namespace init
}  // namespace tapegrad::inline TAPEGRAD_ABI::nn
