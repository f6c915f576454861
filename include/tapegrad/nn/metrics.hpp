#pragma once

#include "../core/tensor.hpp"

namespace tapegrad::inline TAPEGRAD_ABI::nn {

/// How many rows of `scores` (samples, classes) have their largest number, the first of several, at their label. Throws
/// ShapeError unless there is one label a row.
inline int count_correct(ConstTensorView scores, std::span<const Index> labels) {
  detail::require<ShapeError>(
      scores.rank() == 2 && static_cast<Index>(labels.size()) == scores.shape()[0] && scores.shape()[1] > 0,
      "count_correct: scores are ", scores.shape(), ", and there are ", labels.size(),
      " labels; scores must be samples x classes, with one label a sample");
  int correct = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    Index best = 0;
    scores.matrix().row(static_cast<Index>(i)).maxCoeff(&best);
    correct += best == labels[i];
  }
  return correct;
}

}  // namespace tapegrad::inline TAPEGRAD_ABI::nn
