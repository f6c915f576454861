#pragma once
// Pixels to numbers. Declared and described in simd.hpp.

#include <cstdint>

#include "vec.hpp"

namespace tapegrad::inline TAPEGRAD_ABI::simd {
namespace detail {

struct FromBytes {
  template <int lanes>
  static TAPEGRAD_INLINE void run(const std::uint8_t* x, Scalar* y, Index n, double scale, double shift) {
    constexpr int count = lanes / 2;  // doubles in a vector
    using Doubles = Vec<double, count>;
    const auto scaled = [&](const Vec<std::uint8_t, count>& bytes) __attribute__((always_inline)) {
      const Doubles numbers = convert<double>(convert<std::int32_t>(bytes));
      return convert<Scalar>(numbers * Doubles::all(scale) + Doubles::all(shift));
    };
    Index i = 0;
    for (; i + count <= n; i += count) scaled(Vec<std::uint8_t, count>::load(x + i)).store(y + i);
    if (i < n) scaled(Vec<std::uint8_t, count>::load(x + i, n - i)).store(y + i, n - i);
  }
};

struct Gather {
  template <int lanes>
  static TAPEGRAD_INLINE void run(const std::uint8_t* x, const Index* rows, Index count, Index cols, Scalar* y,
                                  double scale, double shift) {
    for (Index i = 0; i < count; ++i) FromBytes::run<lanes>(x + rows[i] * cols, y + i * cols, cols, scale, shift);
  }
};

}  // namespace detail

inline void from_bytes(const std::uint8_t* x, Scalar* y, Index n, double scale, double shift) {
  run<detail::FromBytes>(x, y, n, scale, shift);
}
inline void gather(const std::uint8_t* x, const Index* rows, Index count, Index cols, Scalar* y, double scale,
                   double shift) {
  run<detail::Gather>(x, rows, count, cols, y, scale, shift);
}

}  // namespace tapegrad::inline TAPEGRAD_ABI::simd
