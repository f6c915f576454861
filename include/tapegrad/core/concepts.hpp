#pragma once

#include <concepts>
#include <ranges>

#include "config.hpp"

namespace tapegrad::inline TAPEGRAD_ABI {

/// A list of labels or rows: std::vector<int>, std::span<const Index>, Eigen::VectorXi, bytes, ...
template <class Range>
concept IntegerRange = std::ranges::sized_range<Range> && std::integral<std::ranges::range_value_t<Range>>;

}  // namespace tapegrad::inline TAPEGRAD_ABI
