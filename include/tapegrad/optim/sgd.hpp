#pragma once

#include <span>
#include <vector>

#include "optimizer.hpp"

namespace tapegrad::inline TAPEGRAD_ABI::optim {

/// Options of SGD.
struct SGDOptions {
  double lr = 1e-3;
  double momentum = 0;      ///< how much of the sum of gradients a step keeps
  double dampening = 0;     ///< of the gradient, where it goes into that sum
  double weight_decay = 0;  ///< of the parameter, added to the gradient
  bool nesterov = false;    ///< look ahead: go by what the sum will be after another such gradient
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
    parallel_for(state.parameter->size(), detail::costly_chunk_size, [&](Index begin, Index end) {
      detail::Block decayed;
      detail::for_blocks(begin, end, [&](Index i, Index n) {
        Scalar* direction = decayed.data;
        detail::each(
            direction, n, [=](const Four& slope, const Four& weight) { return slope + decay * weight; }, g + i, p + i);
        if (b) {
          const auto kept = [=](const Four& sum, const Four& slope) { return flushed(momentum * sum + share * slope); };
          const auto ahead = [=](const Four& slope, const Four& sum) { return slope + momentum * sum; };
          detail::each(b + i, n, kept, b + i, direction);
          if (options.nesterov)
            detail::each(direction, n, ahead, direction, b + i);
          else
            direction = b + i;
        }
        detail::each(
            p + i, n, [=](const Four& weight, const Four& step) { return weight - rate * step; }, p + i, direction);
      });
    });
  }
};

}  // namespace tapegrad::inline TAPEGRAD_ABI::optim
