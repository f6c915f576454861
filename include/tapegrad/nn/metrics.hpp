#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <ranges>
#include <span>
#include <utility>

#include "../core/concepts.hpp"
#include "../core/tensor.hpp"

namespace tapegrad::inline TAPEGRAD_ABI::nn {

/// How many rows of `scores` (samples, classes) have their largest number, the first of several, at their label; a row
/// with a NaN has none. Throws ShapeError unless there is a class and one label a row, ValueError for a label that is
/// no class.
template <IntegerRange Labels>
int count_correct(ConstTensorView scores, const Labels& labels) {
  const auto count = static_cast<Index>(std::ranges::size(labels));
  detail::require<ShapeError>(
      scores.rank() == 2 && count == scores.shape()[0] && scores.shape()[1] > 0, "count_correct: scores are ",
      scores.shape(), ", and there are ", count,
      " labels; scores must be samples x classes, with at least one class and one label a sample");
  const Index classes = scores.shape()[1];
  int correct = 0;
  Index row = 0;
  for (const auto given : labels) {
    const auto label = +given;  // a bool or a char as a number
    detail::require<ValueError>(std::cmp_greater_equal(label, 0) && std::cmp_less(label, classes),
                                "count_correct: label ", label, " in row ", row, "; there are ", classes, " classes");
    const std::span<const Scalar> of_classes(scores.data() + row++ * classes, static_cast<std::size_t>(classes));
    const bool valid = std::ranges::none_of(of_classes, [](Scalar score) { return std::isnan(score); });
    correct += valid && std::ranges::max_element(of_classes) - of_classes.begin() == static_cast<Index>(label);
  }
  return correct;
}

/// The mean of numbers that come one after another, each with a weight: losses and the sizes of their batches, say.
///
///   mean.add(loss.item(), batch.size());
class RunningMean {
 public:
  /// One more number, which counts for `weight`. Throws ValueError for a weight that is negative or not finite.
  void add(double value, double weight = 1) {
    require_weight("got", weight);
    total_ += value * weight;
    weight_ += weight;
  }
  /// NaN before the first.
  double value() const { return weight_ == 0 ? std::nan("") : total_ / weight_; }
  /// The sum of the numbers, each times its weight.
  double total() const { return total_; }
  /// The sum of the weights.
  double weight() const { return weight_; }
  /// Puts back what `total()` and `weight()` were when a run was saved. Throws ValueError for a weight that is negative
  /// or not finite.
  void restore(double total, double weight) {
    require_weight("restore with", weight);
    total_ = total;
    weight_ = weight;
  }

 private:
  static void require_weight(const char* how, double weight) {
    detail::require<ValueError>(weight >= 0 && std::isfinite(weight), "RunningMean: ", how, " a weight of ", weight,
                                "; it must be 0 or more, and finite");
  }

  double total_ = 0;
  double weight_ = 0;
};

/// The share of samples, over any number of batches, whose label has the largest score.
class Accuracy {
 public:
  /// Scores are (samples, classes), with one label a sample. Throws ShapeError otherwise, and ValueError for a label
  /// that is no class.
  template <IntegerRange Labels>
  void add(ConstTensorView scores, const Labels& labels) {
    const double correct = count_correct(scores, labels);
    mean_.add(1, correct);
    mean_.add(0, static_cast<double>(std::ranges::size(labels)) - correct);
  }
  /// From 0 to 1; NaN before the first.
  double value() const { return mean_.value(); }
  /// What it is kept in: the mean of ones and zeros, for a checkpoint.
  RunningMean& mean() { return mean_; }

 private:
  RunningMean mean_;
};

/// log(mean(exp(x))) of numbers that come one after another, however many: the estimate of log p(x) from importance
/// weights (Burda, Grosse, Salakhutdinov 2016, section 5). In double, around the largest so far: nothing overflows.
class LogMeanExp {
 public:
  /// One more number.
  void add(double x) {
    ++count_;
    if (x > largest_) total_ *= std::exp(std::exchange(largest_, x) - x);
    if (x != -infinity) total_ += x == infinity ? 1 : std::exp(x - largest_);  // NaN stays
  }
  /// -inf if all numbers are; inf if one is; NaN if one is NaN, or before the first.
  double value() const { return count_ == 0 ? std::nan("") : largest_ + std::log(total_ / count_); }

 private:
  static constexpr double infinity = std::numeric_limits<double>::infinity();
  double largest_ = -infinity;
  double total_ = 0;  // of exp(x - largest)
  double count_ = 0;
};

}  // namespace tapegrad::inline TAPEGRAD_ABI::nn
