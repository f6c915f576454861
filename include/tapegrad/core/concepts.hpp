#pragma once

#include <concepts>
#include <ranges>
#include <type_traits>

#include "config.hpp"

namespace tapegrad::inline TAPEGRAD_ABI {

/// Any built-in number: operators take it as it is and convert it to Scalar, so that the caller need not.
template <class T>
concept Arithmetic = std::is_arithmetic_v<T>;

/// A list of labels or rows: std::vector<int>, std::span<const Index>, Eigen::VectorXi, bytes, ...
template <class Range>
concept IntegerRange = std::ranges::sized_range<Range> && std::integral<std::ranges::range_value_t<Range>>;

}  // namespace tapegrad::inline TAPEGRAD_ABI
