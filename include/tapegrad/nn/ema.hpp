#pragma once

#include <map>
#include <string>
#include <vector>

#include "../ops/blocks.hpp"
#include "copy.hpp"

namespace tapegrad::inline TAPEGRAD_ABI::nn {

/// Options of EMA.
struct EMAOptions {
  double decay = 0.999;  ///< how much of the average stays at each step; in [0, 1)
};

/// An exponential moving average of a model's parameters, kept in a second model of the same kind, which often does
/// better than the first (PyTorch: AveragedModel with get_ema_multi_avg_fn; Polyak, Juditsky 1992).
///
///   Model model(rng), average(rng);
///   nn::EMA ema(model, average);  // average starts as model is
///   ...
///   adam.step();
///   ema.update_parameters();      // and evaluate `average`
///
/// The average starts as the model that the EMA was made with; PyTorch's AveragedModel copies it at the first update.
/// A checkpoint keeps `average` as any other model: load it after the EMA was made.
class EMA {
 public:
  /// Copies the parameters of `model` into `average`. Both must outlive it. Throws ValueError where they are of
  /// different kinds or the same model, or for a decay outside [0, 1).
  EMA(const Module& model, Module& average, const EMAOptions& options = {}) : decay_(options.decay) {
    detail::require<ValueError>(decay_ >= 0 && decay_ < 1, "ema: decay = ", decay_, "; it must be in [0, 1)");
    detail::require<ValueError>(&model != &average, "ema: the average is the model itself; make a second one");
    copy_parameters(model, average);
    std::map<std::string, tapegrad::Parameter*> averages;
    for (const auto& [name, parameter] : average.named_parameters()) averages.emplace(name, parameter);
    for (const auto& [name, parameter] : model.named_parameters()) pairs_.push_back({parameter, averages.at(name)});
  }

  /// average = decay average + (1 - decay) model, for each parameter. Call it after each step of the optimizer.
  void update_parameters() {
    const auto moved = [share = static_cast<Scalar>(1 - decay_)](const detail::Four& average,
                                                                 const detail::Four& model) {
      return average + share * (model - average);
    };
    for (const auto& [from, to] : pairs_) {
      const TensorView average = to->mutable_value();
      if (decay_ == 0)  // by the formula, what is infinite would stay
        average.copy_from(from->value());
      else
        detail::each(average, moved, average, from->value());
    }
  }

 private:
  struct Pair {
    const tapegrad::Parameter* from;
    tapegrad::Parameter* to;
  };

  double decay_;
  std::vector<Pair> pairs_;
};

}  // namespace tapegrad::inline TAPEGRAD_ABI::nn
