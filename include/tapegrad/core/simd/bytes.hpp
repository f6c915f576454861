#pragma once
// Pixels to numbers. Declared and described in simd.hpp.

#include <bit>
#include <cstdint>
#include <cstring>

#include "vec.hpp"

namespace tapegrad::inline TAPEGRAD_ABI::simd {
namespace detail {

static_assert(std::endian::native == std::endian::little, "tapegrad: four bytes of a word are taken from its low end");

struct FromBytes {
  template <int lanes>
  static TAPEGRAD_INLINE void run(const std::uint8_t* x, Scalar* y, Index n, double scale, double shift) {
    constexpr int count = lanes < 8 ? 2 : 4;  // doubles at a time, and bytes of one word
    using Doubles = Vec<double, count>;
    Bits<count> places;
    for (int i = 0; i < count; ++i) places.raw[i] = 8u * static_cast<unsigned>(i);
    const Doubles factor = Doubles::all(scale), offset = Doubles::all(shift);
    Index i = 0;
    for (; i + count <= n; i += count) {
      std::uint32_t word = 0;
      std::memcpy(&word, x + i, count);
      const Bits<count> bytes{Bits<count>::all(word).raw >> places.raw & 255u};
      convert<Scalar>(convert<double>(bit_cast<std::int32_t>(bytes)) * factor + offset).store(y + i);
    }
    for (; i < n; ++i) y[i] = static_cast<Scalar>((Doubles::all(x[i]) * factor + offset).raw[0]);
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
