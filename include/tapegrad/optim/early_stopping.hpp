#pragma once

#include <cmath>
#include <limits>

#include "../core/error.hpp"

namespace tapegrad::inline TAPEGRAD_ABI::optim {

/// Options of EarlyStopping.
struct EarlyStoppingOptions {
  int patience = 5;      ///< stop after so many values in a row that were no better than the best
  double min_delta = 0;  ///< a value is better only if it is below the best by more than this
};

/// Says when a validation loss has stopped getting better. The loop stays yours:
///
///   optim::EarlyStopping stopping({.patience = 5});
///   for (int epoch = 1; epoch <= 100 && !stopping.should_stop(); ++epoch) {
///     ...
///     if (stopping.improved(validation_loss)) copy_parameters(model, best);
///   }
///
/// For what should grow, as an accuracy, give it the negative.
class EarlyStopping {
 public:
  /// Throws ValueError for a patience below 1, or a min_delta that is infinite or below 0.
  explicit EarlyStopping(const EarlyStoppingOptions& options = {}) : options_(options) {
    detail::require<ValueError>(options.patience >= 1, "early_stopping: patience = ", options.patience,
                                "; it must be at least 1");
    detail::require<ValueError>(options.min_delta >= 0 && std::isfinite(options.min_delta),
                                "early_stopping: min_delta = ", options.min_delta,
                                "; it must be finite and at least 0");
  }

  /// Takes the next value, and says whether it is the best so far. NaN never is.
  bool improved(double value) {
    const bool better = value < best_ - options_.min_delta;
    if (better) best_ = value;
    since_best_ = better ? 0 : since_best_ + 1;
    return better;
  }
  bool should_stop() const { return since_best_ >= options_.patience; }
  /// The least value that counted as better; infinity before the first.
  double best() const { return best_; }
  /// How many values there were since.
  int since_best() const { return since_best_; }
  /// Puts back what `best()` and `since_best()` were when a run was saved. Throws ValueError for what they cannot have
  /// been: NaN, a negative count.
  void restore(double best, int since_best) {
    detail::require<ValueError>(!std::isnan(best) && since_best >= 0, "early_stopping: restore with best ", best,
                                ", since_best ", since_best, "; the best is a number, the count not negative");
    best_ = best;
    since_best_ = since_best;
  }

 private:
  EarlyStoppingOptions options_;
  double best_ = std::numeric_limits<double>::infinity();
  int since_best_ = 0;
};

}  // namespace tapegrad::inline TAPEGRAD_ABI::optim
