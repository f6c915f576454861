#pragma once
// Adam's update. Described in simd.hpp, which includes this file after declaring what stands here.

#include <cmath>
#include <limits>

#include "simd.hpp"

namespace tapegrad::inline TAPEGRAD_ABI::simd {

inline void adam(const AdamStep& s, const Scalar* g, Scalar* p, Scalar* m, Scalar* v, Index n) {
  const auto flushed = [](Scalar x) { return std::abs(x) < std::numeric_limits<Scalar>::min() ? Scalar{0} : x; };
  const auto cast = [](double x) { return static_cast<Scalar>(x); };
  const Scalar beta1 = cast(s.beta1), beta2 = cast(s.beta2), rest1 = cast(1 - s.beta1), rest2 = cast(1 - s.beta2);
  const Scalar step = cast(s.step), root_scale = cast(s.root_scale), eps = cast(s.eps), l2 = cast(s.l2);
  const Scalar keep = cast(s.keep);
  for (Index i = 0; i < n; ++i) {
    const Scalar slope = g[i] + l2 * p[i];
    m[i] = flushed(beta1 * m[i] + rest1 * slope);
    v[i] = flushed(beta2 * v[i] + rest2 * slope * slope);
    p[i] = keep * p[i] - step * m[i] / (root_scale * std::sqrt(v[i]) + eps);
  }
}

}  // namespace tapegrad::inline TAPEGRAD_ABI::simd
