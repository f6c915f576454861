#pragma once
// Sums and maxima over a contiguous range. Declared and described in simd.hpp.
//
// Element i always goes to lane i % 32, whatever the width of the vectors, and the 32 lanes are added up in halves. So
// every instruction set adds the same numbers in the same order.

#include <algorithm>
#include <array>
#include <limits>

#include "vec.hpp"

namespace tapegrad::inline TAPEGRAD_ABI::simd {
namespace detail {

inline constexpr int sum_lanes = 32;

/// 32 sums in double.
template <int lanes>
struct LaneSums {
  static constexpr int half = lanes / 2;  // as many doubles as fill a vector
  using Numbers = Vec<Scalar, half>;
  using Doubles = Vec<double, half>;

  Doubles sums[sum_lanes / half] = {};

  /// Adds x[0 .. 31], lane by lane.
  TAPEGRAD_INLINE void add(const Scalar* x) {
    TAPEGRAD_UNROLL
    for (int i = 0; i < sum_lanes / half; ++i) sums[i] = sums[i] + convert<double>(Numbers::load(x + i * half));
  }
  /// Adds x[0 .. 31] * y[0 .. 31]; the products of floats are exact.
  TAPEGRAD_INLINE void add(const Scalar* x, const Scalar* y) {
    TAPEGRAD_UNROLL
    for (int i = 0; i < sum_lanes / half; ++i) {
      const Doubles product =
          convert<double>(Numbers::load(x + i * half)) * convert<double>(Numbers::load(y + i * half));
      sums[i] = sums[i] + product;
    }
  }
  /// The same for the first `count` < 32.
  template <class... X>
  TAPEGRAD_INLINE void add_some(Index count, const X*... x) {
    const auto padded = [&](const Scalar* from) __attribute__((always_inline)) {
      std::array<Scalar, sum_lanes> numbers{};
      std::copy_n(from, count, numbers.data());
      return numbers;
    };
    if (count > 0) add(padded(x).data()...);
  }

  TAPEGRAD_INLINE void store(double* lane) const {
    TAPEGRAD_UNROLL
    for (int i = 0; i < sum_lanes / half; ++i) sums[i].store(lane + i * half);
  }
  TAPEGRAD_INLINE double total() const {
    double lane[sum_lanes];
    store(lane);
    for (int width = sum_lanes / 2; width > 0; width /= 2)
      for (int i = 0; i < width; ++i) lane[i] += lane[i + width];
    return lane[0];
  }
};

/// The sum of x[i], or of x[i] * y[i].
struct Sum {
  template <int lanes, class... X>
  static TAPEGRAD_INLINE double run(Index n, const X*... x) {
    LaneSums<lanes> sums;
    Index i = 0;
    for (; i + sum_lanes <= n; i += sum_lanes) sums.add(x + i...);
    sums.add_some(n - i, x + i...);
    return sums.total();
  }
};

struct Max {
  template <int lanes>
  static TAPEGRAD_INLINE Scalar run(const Scalar* x, Index n) {
    using V = Vec<Scalar, lanes>;
    constexpr int count = sum_lanes / lanes;
    V most[count];
    TAPEGRAD_UNROLL
    for (int j = 0; j < count; ++j) most[j] = V::all(-std::numeric_limits<Scalar>::infinity());
    Index i = 0;
    for (; i + sum_lanes <= n; i += sum_lanes) {
      TAPEGRAD_UNROLL
      for (int j = 0; j < count; ++j) {
        const V next = V::load(x + i + j * lanes);
        most[j] = if_nan(next, next, if_less(most[j], next, next, most[j]));
      }
    }
    Scalar lane[sum_lanes];
    TAPEGRAD_UNROLL
    for (int j = 0; j < count; ++j) most[j].store(lane + j * lanes);
    const auto keep_one = [](Scalar& a, Scalar b) { a = b != b || a < b ? b : a; };
    for (int j = 0; i + j < n; ++j) keep_one(lane[j], x[i + j]);
    for (int width = sum_lanes / 2; width > 0; width /= 2)
      for (int j = 0; j < width; ++j) keep_one(lane[j], lane[j + width]);
    return lane[0];
  }
};

/// All elements are, if the sum of their distances to the interval is 0.
struct InUnitInterval {
  template <int lanes>
  static TAPEGRAD_INLINE bool run(const Scalar* x, Index n) {
    using V = Vec<Scalar, lanes>;
    const V zero = V::zero(), one = V::all(1);
    V sum = zero;
    const auto add = [&](const V& a) __attribute__((always_inline)) {
      sum = sum + larger(zero, larger(zero - a, a - one));  // NaN for NaN
    };
    Index i = 0;
    for (; i + lanes <= n; i += lanes) add(V::load(x + i));
    if (i < n) add(V::load(x + i, n - i));
    Scalar lane[lanes];
    sum.store(lane);
    return std::all_of(lane, lane + lanes, [](Scalar distance) { return distance == 0; });
  }
};

/// 32 columns at a time, each the sum of its rows in order, over `divisor`.
struct ColumnSums {
  template <int lanes>
  static TAPEGRAD_INLINE void run(const Scalar* x, Index rows, Index cols, Index stride, Scalar* out, bool add,
                                  double divisor) {
    for (Index j = 0; j < cols; j += sum_lanes) {
      const Index count = std::min<Index>(sum_lanes, cols - j);
      LaneSums<lanes> sums;
      for (Index i = 0; i < rows; ++i) {
        if (count == sum_lanes)
          sums.add(x + i * stride + j);
        else
          sums.add_some(count, x + i * stride + j);
      }
      double lane[sum_lanes];
      sums.store(lane);
      for (Index i = 0; i < count; ++i) {
        const double result = lane[i] / divisor;
        out[j + i] = static_cast<Scalar>(add ? double{out[j + i]} + result : result);
      }
    }
  }
};

}  // namespace detail

TAPEGRAD_BODY double sum(const Scalar* x, Index n) { return run<detail::Sum>(n, x); }
TAPEGRAD_BODY double dot(const Scalar* x, const Scalar* y, Index n) { return run<detail::Sum>(n, x, y); }
TAPEGRAD_BODY double sum_of_squares(const Scalar* x, Index n) { return run<detail::Sum>(n, x, x); }
TAPEGRAD_BODY Scalar max(const Scalar* x, Index n) { return run<detail::Max>(x, n); }
TAPEGRAD_BODY bool in_unit_interval(const Scalar* x, Index n) { return run<detail::InUnitInterval>(x, n); }
TAPEGRAD_BODY void column_sums(const Scalar* x, Index rows, Index cols, Index stride, Scalar* out, bool add,
                               double divisor) {
  run<detail::ColumnSums>(x, rows, cols, stride, out, add, divisor);
}

}  // namespace tapegrad::inline TAPEGRAD_ABI::simd
