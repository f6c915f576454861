#pragma once

#include <span>
#include <vector>

#include "elementwise_optimizer.hpp"

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
class SGD : public ElementwiseOptimizer<SGDOptions> {
 public:
  /// Throws ValueError for no parameters, a null one, one given twice, or options that cannot be right.
  explicit SGD(const std::vector<Parameter*>& parameters, const SGDOptions& options = {})
      : ElementwiseOptimizer("sgd") {
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
  void update_part(const Part& part) override {
    const ParameterState& state = part.state;
    const SGDOptions& options = this->options(state);
    const auto momentum = static_cast<Scalar>(options.momentum);
    const auto share = static_cast<Scalar>(state.steps == 1 ? 1 : 1 - options.dampening);
    Scalar* b = state.buffers.empty() ? nullptr : state.buffers[0].value.data();

    const auto kept = [=](const Four& sum, const Four& slope) { return flushed(momentum * sum + share * slope); };
    const auto ahead = [=](const Four& slope, const Four& sum) { return slope + momentum * sum; };
    descend(part, options.weight_decay, [&](Index i, Index n, Scalar* slopes) -> const Scalar* {
      if (!b) return slopes;
      detail::each(b + i, n, kept, b + i, slopes);
      if (!options.nesterov) return b + i;
      detail::each(slopes, n, ahead, slopes, b + i);
      return slopes;
    });
  }
};

}  // namespace tapegrad::inline TAPEGRAD_ABI::optim
