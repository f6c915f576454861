#pragma once

#include "optimizer.hpp"

namespace tapegrad::inline TAPEGRAD_ABI::optim {

/// Options of SGD.
struct SGDOptions {
  double lr = 1e-3;
  double momentum = 0;
  double dampening = 0;  ///< of the gradient, where it goes into the momentum
  double weight_decay = 0;
  bool nesterov = false;
};

/// Stochastic gradient descent, as PyTorch's (b starts as the first gradient, undamped):
///   g += weight_decay p;  b = momentum b + (1 - dampening) g;  p -= lr b, or with Nesterov lr (g + momentum b).
class SGD : public GroupOptimizer<SGDOptions> {
 public:
  /// Throws ValueError for no parameters, one given twice, or options that cannot be right.
  explicit SGD(const std::vector<Parameter*>& parameters, const SGDOptions& options = {}) : GroupOptimizer("sgd") {
    add_group(parameters, options);
  }
  /// More parameters, with options of their own. Throws the same.
  void add_group(const std::vector<Parameter*>& parameters, const SGDOptions& options) {
    require_not_negative("momentum", options.momentum);
    require_in_0_1("dampening", options.dampening);
    require_not_negative("weight_decay", options.weight_decay);
    require(!options.nesterov || (options.momentum > 0 && options.dampening == 0),
            "nesterov with momentum = ", options.momentum, " and dampening = ", options.dampening,
            "; it needs momentum, and no dampening");
    static constexpr InitialBuffer momentum[] = {{"momentum_buffer", 0}};
    add(parameters, options, std::span(momentum, options.momentum > 0 ? 1 : 0));
  }

 private:
  void update(ParameterState& state, double lr) override {
    const SGDOptions& options = this->options(state);
    const auto rate = static_cast<Scalar>(lr);
    const auto decay = static_cast<Scalar>(options.weight_decay);
    const auto momentum = static_cast<Scalar>(options.momentum);
    const auto share = static_cast<Scalar>(state.steps == 1 ? 1 : 1 - options.dampening);
    const Scalar* g = state.parameter->grad().data();
    Scalar* p = state.parameter->mutable_value().data();
    Scalar* b = state.buffers.empty() ? nullptr : state.buffers[0].value.data();
    parallel_for(state.parameter->size(), detail::chunk_size, [&](Index begin, Index end) {
      for (Index i = begin; i < end; ++i) {
        Scalar direction = g[i] + decay * p[i];
        if (b) {
          b[i] = flushed(momentum * b[i] + share * direction);
          direction = options.nesterov ? direction + momentum * b[i] : b[i];
        }
        p[i] -= rate * direction;
      }
    });
  }
};

}  // namespace tapegrad::inline TAPEGRAD_ABI::optim
