#pragma once
// Sums and maxima over a contiguous range. Declared and described in simd.hpp.

#include <cmath>
#include <limits>

#include "../config.hpp"

namespace tapegrad::inline TAPEGRAD_ABI::simd {

inline double sum(const Scalar* x, Index n) {
  double total = 0;
  for (Index i = 0; i < n; ++i) total += double{x[i]};
  return total;
}
inline double dot(const Scalar* x, const Scalar* y, Index n) {
  double total = 0;
  for (Index i = 0; i < n; ++i) total += double{x[i]} * double{y[i]};
  return total;
}
inline double sum_of_squares(const Scalar* x, Index n) { return dot(x, x, n); }
inline Scalar max(const Scalar* x, Index n) {
  Scalar largest = -std::numeric_limits<Scalar>::infinity();
  for (Index i = 0; i < n; ++i) largest = x[i] > largest || std::isnan(x[i]) ? x[i] : largest;
  return largest;
}
inline void column_sums(const Scalar* x, Index rows, Index cols, Index stride, Scalar* out, bool add) {
  for (Index j = 0; j < cols; ++j) {
    double total = 0;
    for (Index i = 0; i < rows; ++i) total += double{x[i * stride + j]};
    out[j] = (add ? out[j] : Scalar{0}) + static_cast<Scalar>(total);
  }
}

}  // namespace tapegrad::inline TAPEGRAD_ABI::simd
