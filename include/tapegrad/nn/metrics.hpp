#pragma once

#include "../core/concepts.hpp"
#include "../core/tensor.hpp"

namespace tapegrad::inline TAPEGRAD_ABI::nn {

/// How many rows of `scores` (samples, classes) have their largest number, the first of several, at their label. Throws
/// ShapeError unless there is one label a row.
template <IntegerRange Labels>
int count_correct(ConstTensorView scores, const Labels& labels) {
  const auto count = static_cast<Index>(std::ranges::size(labels));
  detail::require<ShapeError>(scores.rank() == 2 && count == scores.shape()[0] && scores.shape()[1] > 0,
                              "count_correct: scores are ", scores.shape(), ", and there are ", count,
                              " labels; scores must be samples x classes, with one label a sample");
  int correct = 0;
  Index row = 0;
  for (const auto label : labels) {
    Index best = 0;
    scores.matrix().row(row++).maxCoeff(&best);
    correct += best == static_cast<Index>(label);
  }
  return correct;
}

}  // namespace tapegrad::inline TAPEGRAD_ABI::nn
