#pragma once
// Pixels to numbers. Declared and described in simd.hpp.

#include <algorithm>
#include <array>
#include <cstdint>

#include "vec.hpp"

namespace tapegrad::inline TAPEGRAD_ABI::simd {
namespace detail {

/// What becomes of each byte: there are but 256, so each is scaled once, in double.
inline std::array<Scalar, 256> scaled_bytes(double scale, double shift) {
  using Doubles = Vec<double, 2>;
  std::array<Scalar, 256> scaled;
  for (std::size_t byte = 0; byte < scaled.size(); ++byte) {
    const Doubles number = Doubles::all(static_cast<double>(byte)) * Doubles::all(scale) + Doubles::all(shift);
    scaled[byte] = static_cast<Scalar>(number.raw[0]);
  }
  return scaled;
}

inline void look_up(const std::array<Scalar, 256>& table, const std::uint8_t* x, Scalar* y, Index n) {
  for (Index i = 0; i < n; ++i) y[i] = table[x[i]];
}

struct Binarize {
  template <int lanes>
  static TAPEGRAD_INLINE void run(const Scalar* x, const Scalar* u, Scalar* y, Index n, Scalar zero, Scalar one) {
    using V = Vec<Scalar, lanes>;
    const V zeros = V::all(zero), ones = V::all(one);
    const auto draw = [&](const V& p, const V& uniform) __attribute__((always_inline)) {
      return if_less(uniform, p, ones, zeros);
    };
    map<lanes>(draw, y, n, x, u);
  }
};

}  // namespace detail

TAPEGRAD_BODY void from_bytes(const std::uint8_t* x, Scalar* y, Index n, double scale, double shift) {
  detail::look_up(detail::scaled_bytes(scale, shift), x, y, n);
}

TAPEGRAD_BODY void gather(const std::uint8_t* x, const Index* rows, Index count, Index cols, Scalar* y, double scale,
                          double shift) {
  constexpr Index line = 64, on_the_way = 16384;
  // Rows lie anywhere in memory: they are fetched.
  const Index ahead = std::clamp<Index>(on_the_way / std::max<Index>(cols, 1), 1, 16);
  const std::array<Scalar, 256> table = detail::scaled_bytes(scale, shift);
  for (Index i = -ahead; i < count; ++i) {
    if (i + ahead < count)
      for (Index byte = 0; byte < cols; byte += line) __builtin_prefetch(x + rows[i + ahead] * cols + byte);
    if (i >= 0) detail::look_up(table, x + rows[i] * cols, y + i * cols, cols);
  }
}

TAPEGRAD_BODY void binarize(const Scalar* x, const Scalar* u, Scalar* y, Index n, Scalar zero, Scalar one) {
  run<detail::Binarize>(x, u, y, n, zero, one);
}

}  // namespace tapegrad::inline TAPEGRAD_ABI::simd
