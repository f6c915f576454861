#pragma once
// Binary cross-entropy of logits. Declared and described in simd.hpp.

#include "math.hpp"

namespace tapegrad::inline TAPEGRAD_ABI::simd {

inline void bce_with_logits(const Scalar* a, const Scalar* t, Scalar* y, Index n) {
  for (Index i = 0; i < n; ++i) y[i] = std::fmax(a[i], Scalar{0}) - a[i] * t[i] + std::log1p(std::exp(-std::abs(a[i])));
}
inline double bce_with_logits_sum(const Scalar* a, const Scalar* t, Index n) {
  double total = 0;
  for (Index i = 0; i < n; ++i) {
    Scalar y = 0;
    bce_with_logits(a + i, t + i, &y, 1);
    total += double{y};
  }
  return total;
}
inline void bce_with_logits_backward(const Scalar* a, const Scalar* t, Scalar scale, Scalar* da, Index n, bool add) {
  for (Index i = 0; i < n; ++i) da[i] = (add ? da[i] : Scalar{0}) + (detail::sigmoid(a[i]) - t[i]) * scale;
}
inline void bce_with_logits_backward(const Scalar* a, const Scalar* t, const Scalar* scale, Scalar* da, Index n,
                                     bool add) {
  for (Index i = 0; i < n; ++i) da[i] = (add ? da[i] : Scalar{0}) + (detail::sigmoid(a[i]) - t[i]) * scale[i];
}

}  // namespace tapegrad::inline TAPEGRAD_ABI::simd
