#pragma once

#include <cmath>
#include <utility>
#include <vector>

#include "../core/simd/simd.hpp"
#include "elementwise_optimizer.hpp"

namespace tapegrad::inline TAPEGRAD_ABI::optim {

/// Options of Adam.
struct AdamOptions {
  double lr = 1e-3;
  std::pair<double, double> betas = {0.9, 0.999};  ///< how much of m and of v a step keeps
  double eps = 1e-8;
  double weight_decay = 0;
  bool decoupled_weight_decay = false;  ///< p *= 1 - lr weight_decay, as AdamW does, instead of g += weight_decay p
  /// Adds eps to sqrt(v), not to the corrected sqrt(v / (1 - beta2^t)): the form at the end of section 2 of Adam's
  /// paper, and that of Burda, Grosse and Salakhutdinov's code. It makes eps count for more in the first steps.
  bool uncorrected_eps = false;
  double initial_v = 0;  ///< what v starts at: 1 in Burda's code
};

/// Adam (Kingma and Ba 2015), as PyTorch's:
///   g += weight_decay p  (if it is not decoupled)
///   m = beta1 m + (1 - beta1) g;  v = beta2 v + (1 - beta2) g^2;
///   p -= lr / (1 - beta1^t) m / (sqrt(v / (1 - beta2^t)) + eps)
/// where t counts the updates of that parameter, from 1.
class Adam : public ElementwiseOptimizer<AdamOptions> {
 public:
  /// Throws ValueError for no parameters, a null one, one given twice, or options that cannot be right.
  explicit Adam(const std::vector<Parameter*>& parameters, const AdamOptions& options = {})
      : Adam("adam", parameters, options) {}
  /// More parameters, with options of their own. Throws the same.
  void add_group(const std::vector<Parameter*>& parameters, const AdamOptions& options) {
    require_in_0_1("betas.first", options.betas.first);
    require_in_0_1("betas.second", options.betas.second);
    require_eps(options.eps, 1 - options.betas.second);
    require_not_negative("weight_decay", options.weight_decay);
    require_not_negative("initial_v", options.initial_v);
    const InitialBuffer moments[] = {{"exp_avg", 0}, {"exp_avg_sq", options.initial_v}};
    add(parameters, options, moments);
  }

 protected:
  Adam(const char* name, const std::vector<Parameter*>& parameters, const AdamOptions& options)
      : ElementwiseOptimizer(name) {
    add_group(parameters, options);
  }

 private:
  void update_part(const Part& part) override {
    const ParameterState& state = part.state;
    const AdamOptions& options = this->options(state);
    const auto [beta1, beta2] = options.betas;
    const double t = static_cast<double>(state.steps);
    const double correction1 = 1 - std::pow(beta1, t), correction2 = std::sqrt(1 - std::pow(beta2, t));
    const simd::AdamStep step{.beta1 = beta1,
                              .beta2 = beta2,
                              .step = part.lr / correction1 * (options.uncorrected_eps ? correction2 : 1),
                              .root_scale = options.uncorrected_eps ? 1 : 1 / correction2,
                              .eps = options.eps,
                              .l2 = options.decoupled_weight_decay ? 0 : options.weight_decay,
                              .keep = options.decoupled_weight_decay ? 1 - part.lr * options.weight_decay : 1,
                              .shared = num_threads() > 1};
    const Index begin = part.begin;
    simd::adam(step, part.g + begin, part.p + begin, state.buffers[0].value.data() + begin,
               state.buffers[1].value.data() + begin, part.end - begin);
  }
};

/// Options of AdamW.
struct AdamWOptions {
  double lr = 1e-3;
  std::pair<double, double> betas = {0.9, 0.999};
  double eps = 1e-8;
  double weight_decay = 1e-2;
};

/// Adam whose weight decay shrinks the parameters and leaves the gradients alone (Loshchilov and Hutter 2019).
class AdamW : public Adam {
 public:
  /// Throws ValueError for no parameters, a null one, one given twice, or options that cannot be right.
  explicit AdamW(const std::vector<Parameter*>& parameters, const AdamWOptions& options = {})
      : Adam("adamw", parameters, of(options)) {}
  /// More parameters, with options of their own. Throws the same.
  void add_group(const std::vector<Parameter*>& parameters, const AdamWOptions& options) {
    Adam::add_group(parameters, of(options));
  }

 private:
  static AdamOptions of(const AdamWOptions& options) {
    return {.lr = options.lr,
            .betas = options.betas,
            .eps = options.eps,
            .weight_decay = options.weight_decay,
            .decoupled_weight_decay = true};
  }
};

}  // namespace tapegrad::inline TAPEGRAD_ABI::optim
