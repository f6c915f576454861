#pragma once

#include <cmath>
#include <limits>
#include <vector>

#include "../ops/select.hpp"
#include "elementwise_optimizer.hpp"

namespace tapegrad::inline TAPEGRAD_ABI::optim {

/// Options of RMSprop.
struct RMSpropOptions {
  double lr = 1e-2;
  double alpha = 0.99;  ///< how much of the averages a step keeps
  double eps = 1e-8;
  double weight_decay = 0;
  double momentum = 0;    ///< how much of the sum of steps a step keeps
  bool centered = false;  ///< divide by the standard deviation of the gradient, not by its root mean square
};

/// RMSprop (Tieleman and Hinton 2012), as PyTorch's:
///   g += weight_decay p;  v = alpha v + (1 - alpha) g^2;  u = g / (sqrt(v) + eps);
///   p -= lr u, or with momentum b = momentum b + u;  p -= lr b.
/// Centered: a = alpha a + (1 - alpha) g;  u = g / (sqrt(v - a^2) + eps).
class RMSprop : public ElementwiseOptimizer<RMSpropOptions> {
 public:
  /// Throws ValueError for no parameters, a null one, one given twice, or options that cannot be right.
  explicit RMSprop(const std::vector<Parameter*>& parameters, const RMSpropOptions& options = {})
      : ElementwiseOptimizer("rmsprop") {
    add_group(parameters, options);
  }
  /// More parameters, with options of their own. Throws the same.
  void add_group(const std::vector<Parameter*>& parameters, const RMSpropOptions& options) {
    require_in_0_1("alpha", options.alpha);
    require_eps(options.eps, 1 - options.alpha);
    require_not_negative("weight_decay", options.weight_decay);
    require_not_negative("momentum", options.momentum);
    std::vector<InitialBuffer> buffers{{"square_avg", 0}};
    if (options.momentum > 0) buffers.push_back({"momentum_buffer", 0});
    if (options.centered) buffers.push_back({"grad_avg", 0});
    add(parameters, options, buffers);
  }

 private:
  void update_part(const Part& part) override {
    const ParameterState& state = part.state;
    const RMSpropOptions& options = this->options(state);
    const auto keep = static_cast<Scalar>(options.alpha), rest = static_cast<Scalar>(1 - options.alpha);
    const auto eps = static_cast<Scalar>(options.eps), momentum = static_cast<Scalar>(options.momentum);
    Scalar* v = state.buffers[0].value.data();
    Scalar* b = options.momentum > 0 ? state.buffers[1].value.data() : nullptr;
    Scalar* mean = options.centered ? state.buffers.back().value.data() : nullptr;
    // A finite slope whose square overflows is taken for a smaller one, as in simd::adam. Where centered it is not: the
    // mean square is infinite then, and 0 times it below makes the step NaN, which shows.
    const Scalar most =
        options.centered ? std::numeric_limits<Scalar>::infinity() : std::sqrt(std::numeric_limits<Scalar>::max()) / 2;

    const auto bounded = [=](const Four& slope) {
      return detail::at_most(detail::at_least(slope, -most), most) + Four::zero() * slope;
    };
    const auto squares = [=](const Four& average, const Four& slope) {
      return flushed(keep * average + rest * slope * slope);
    };
    const auto slopes = [=](const Four& average, const Four& slope) { return flushed(keep * average + rest * slope); };
    const auto scaled = [=](const Four& slope, const Four& square) { return slope / (sqrt(square) + eps); };
    const auto centered = [=](const Four& slope, const Four& square, const Four& average) {
      const Four variance = detail::at_least(square - average * average, 0);  // rounding may take it below 0
      return scaled(slope + Four::zero() * square, variance);
    };
    const auto kept = [=](const Four& sum, const Four& step) { return flushed(momentum * sum + step); };
    descend(part, options.weight_decay, [&](Index i, Index n, Scalar* direction) -> const Scalar* {
      detail::each(direction, n, bounded, direction);
      detail::each(v + i, n, squares, v + i, direction);
      if (mean) {
        detail::each(mean + i, n, slopes, mean + i, direction);
        detail::each(direction, n, centered, direction, v + i, mean + i);
      } else {
        detail::each(direction, n, scaled, direction, v + i);
      }
      if (!b) return direction;
      detail::each(b + i, n, kept, b + i, direction);
      return b + i;
    });
  }
};

}  // namespace tapegrad::inline TAPEGRAD_ABI::optim
