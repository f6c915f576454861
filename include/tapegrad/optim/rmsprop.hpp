#pragma once

#include "optimizer.hpp"

namespace tapegrad::inline TAPEGRAD_ABI::optim {

/// Options of RMSprop.
struct RMSpropOptions {
  double lr = 1e-2;
  double alpha = 0.99;  ///< how much of the averages a step keeps
  double eps = 1e-8;
  double weight_decay = 0;
  double momentum = 0;
  bool centered = false;  ///< divide by the standard deviation of the gradient, not by its root mean square
};

/// RMSprop (Tieleman and Hinton 2012), as PyTorch's:
///   g += weight_decay p;  v = alpha v + (1 - alpha) g^2;  u = g / (sqrt(v) + eps);
///   p -= lr u, or with momentum b = momentum b + u;  p -= lr b.
class RMSprop : public GroupOptimizer<RMSpropOptions> {
 public:
  /// Throws ValueError for no parameters, one given twice, or options that cannot be right.
  explicit RMSprop(const std::vector<Parameter*>& parameters, const RMSpropOptions& options = {})
      : GroupOptimizer("rmsprop") {
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
  void update(ParameterState& state, double lr) override {
    const RMSpropOptions& options = this->options(state);
    const auto rate = static_cast<Scalar>(lr), eps = static_cast<Scalar>(options.eps);
    const auto keep = static_cast<Scalar>(options.alpha), rest = static_cast<Scalar>(1 - options.alpha);
    const auto decay = static_cast<Scalar>(options.weight_decay), momentum = static_cast<Scalar>(options.momentum);
    const Scalar* gradient = state.parameter->grad().data();
    Scalar* p = state.parameter->mutable_value().data();
    Scalar* v = state.buffers[0].value.data();
    Scalar* b = options.momentum > 0 ? state.buffers[1].value.data() : nullptr;
    Scalar* mean = options.centered ? state.buffers.back().value.data() : nullptr;
    parallel_for(state.parameter->size(), detail::chunk_size, [&](Index begin, Index end) {
      for (Index i = begin; i < end; ++i) {
        const Scalar g = gradient[i] + decay * p[i];
        // Where a square overflows v can decay again; centered, what is infinite shows as NaN.
        const Scalar most = std::numeric_limits<Scalar>::max(), square = keep * v[i] + rest * g * g;
        v[i] = flushed(mean ? square : std::min(square, most));
        Scalar variance = v[i];
        if (mean) {
          mean[i] = flushed(keep * mean[i] + rest * g);
          variance = std::max(variance - mean[i] * mean[i], Scalar{0});  // rounding may take it below 0; NaN it stays
        }
        Scalar direction = g / (std::sqrt(variance) + eps);
        if (b) direction = b[i] = flushed(momentum * b[i] + direction);
        p[i] -= rate * direction;
      }
    });
  }
};

}  // namespace tapegrad::inline TAPEGRAD_ABI::optim
