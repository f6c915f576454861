#pragma once
// Pixels to numbers. Declared and described in simd.hpp.

#include <algorithm>
#include <cstdint>

#include "vec.hpp"

namespace tapegrad::inline TAPEGRAD_ABI::simd {
namespace detail {

template <int lanes>
TAPEGRAD_INLINE Vec<double, lanes> load_bytes(const std::uint8_t* from) {
#if TAPEGRAD_X86 && !defined(__clang__)
  if constexpr (lanes > 2) {  // AVX2 or AVX-512; g++ would take byte by byte
    typename Vec<std::int32_t, lanes>::Raw whole;
    asm("vpmovzxbd {%1, %0|%0, %1}" : "=v"(whole) : "m"(*reinterpret_cast<const std::uint8_t(*)[lanes]>(from)));
    return convert<double>(Vec<std::int32_t, lanes>{whole});
  }
#endif
  return convert<double>(convert<std::int32_t>(Vec<std::uint8_t, lanes>::load(from)));
}

struct FromBytes {
  template <int lanes>
  static TAPEGRAD_INLINE void run(const std::uint8_t* x, Scalar* y, Index n, double scale, double shift) {
    constexpr int half = lanes / 2;  // as many doubles as fill a vector
    using Doubles = Vec<double, half>;
    const Doubles scales = Doubles::all(scale), shifts = Doubles::all(shift);
    const auto numbers = [&](const std::uint8_t* from) __attribute__((always_inline)) {
      return convert<Scalar>(load_bytes<half>(from) * scales + shifts);
    };
    Index i = 0;
    for (; i + half <= n; i += half) numbers(x + i).store(y + i);
    if (const Index rest = n - i; rest > 0) {
      std::uint8_t padded[half];
      Vec<std::uint8_t, half>::load(x + i, rest).store(padded);
      numbers(padded).store(y + i, rest);
    }
  }
};

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
  run<detail::FromBytes>(x, y, n, scale, shift);
}

TAPEGRAD_BODY void gather(const std::uint8_t* x, const Index* rows, Index count, Index cols, Scalar* y, double scale,
                          double shift) {
  constexpr Index line = 64, on_the_way = 16384;
  // Rows lie anywhere in memory: they are fetched.
  const Index ahead = std::clamp<Index>(on_the_way / std::max<Index>(cols, 1), 1, 16);
  for (Index i = -ahead; i < count; ++i) {
    if (i + ahead < count)
      for (Index byte = 0; byte < cols; byte += line) __builtin_prefetch(x + rows[i + ahead] * cols + byte);
    if (i >= 0) from_bytes(x + rows[i] * cols, y + i * cols, cols, scale, shift);
  }
}

TAPEGRAD_BODY void binarize(const Scalar* x, const Scalar* u, Scalar* y, Index n, Scalar zero, Scalar one) {
  run<detail::Binarize>(x, u, y, n, zero, one);
}

}  // namespace tapegrad::inline TAPEGRAD_ABI::simd
