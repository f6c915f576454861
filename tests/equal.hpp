#pragma once

#include <algorithm>
#include <vector>

#include "tapegrad/core/tensor.hpp"

/// Whether the tensors of two lists have the same bits, one by one.
inline bool equal(const std::vector<tapegrad::Tensor>& a, const std::vector<tapegrad::Tensor>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const auto& x, const auto& y) { return tapegrad::same_bits(x, y); });
}
