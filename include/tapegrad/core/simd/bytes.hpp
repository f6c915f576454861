#pragma once
// Pixels to numbers. Declared and described in simd.hpp.

#include <cstdint>

#include "../config.hpp"

namespace tapegrad::inline TAPEGRAD_ABI::simd {

inline void from_bytes(const std::uint8_t* x, Scalar* y, Index n, double scale, double shift) {
  for (Index i = 0; i < n; ++i) y[i] = static_cast<Scalar>(x[i] * scale + shift);
}
inline void gather(const std::uint8_t* x, const Index* rows, Index count, Index cols, Scalar* y, double scale,
                   double shift) {
  for (Index i = 0; i < count; ++i) from_bytes(x + rows[i] * cols, y + i * cols, cols, scale, shift);
}

}  // namespace tapegrad::inline TAPEGRAD_ABI::simd
