#pragma once
// Adam's update. Described in simd.hpp, which includes this file after declaring what stands here.

#include <cmath>
#include <limits>

#include "simd.hpp"
#include "vec.hpp"

namespace tapegrad::inline TAPEGRAD_ABI::simd {
namespace detail {

struct Adam {
  template <int lanes>
  static TAPEGRAD_INLINE void run(const AdamStep* options, const Scalar* g, Scalar* p, Scalar* m, Scalar* v, Index n) {
    using V = Vec<Scalar, lanes>;
    const AdamStep& s = *options;
    const auto all = [](double x) __attribute__((always_inline)) { return V::all(static_cast<Scalar>(x)); };
    const V zero = V::zero(), least = V::all(std::numeric_limits<Scalar>::min());
    const V beta1 = all(s.beta1), rest1 = all(1 - s.beta1), beta2 = all(s.beta2), rest2 = all(1 - s.beta2);
    const V down = all(-s.step), root_scale = all(s.root_scale), eps = all(s.eps), l2 = all(s.l2), keep = all(s.keep);
    // Slopes whose square would be subnormal.
    const V least_slope = all(std::sqrt(std::numeric_limits<Scalar>::min() / (1 - s.beta2)));

    const auto update = [&](const V& slope, V& weight, V& mean, V& square) __attribute__((always_inline)) {
      const V decayed = fma(l2, weight, slope);
      mean = fma(rest1, decayed, beta1 * mean);
      mean = if_less(abs(mean), least, zero, mean);
      const V squared = if_less(abs(decayed), least_slope, zero, decayed);
      square = fma(rest2 * squared, squared, beta2 * square);
      square = if_less(square, least, zero, square);
      weight = fma(down, mean / fma(root_scale, sqrt(square), eps), keep * weight);
    };
    Index i = 0;
    for (; i + lanes <= n; i += lanes) {
      V weight = V::load(p + i), mean = V::load(m + i), square = V::load(v + i);
      update(V::load(g + i), weight, mean, square);
      weight.store(p + i);
      mean.store(m + i);
      square.store(v + i);
    }
    if (const Index rest = n - i; rest > 0) {
      V weight = V::load(p + i, rest), mean = V::load(m + i, rest), square = V::load(v + i, rest);
      update(V::load(g + i, rest), weight, mean, square);
      weight.store(p + i, rest);
      mean.store(m + i, rest);
      square.store(v + i, rest);
    }
  }
};

}  // namespace detail

TAPEGRAD_BODY void adam(const AdamStep& step, const Scalar* g, Scalar* p, Scalar* m, Scalar* v, Index n) {
  run<detail::Adam>(&step, g, p, m, v, n);
}

}  // namespace tapegrad::inline TAPEGRAD_ABI::simd
