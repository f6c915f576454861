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
    alignas(V) Scalar padded[4][lanes];  // as map() does it (vec.hpp)
    const Index rest = n & (lanes - 1), whole = n - rest;
    Scalar *to_p = p, *to_m = m, *to_v = v;
    for (Index end = whole;; end = lanes) {
      for (Index i = 0; i < end; i += lanes) {
        V weight = V::load(to_p + i), mean = V::load(to_m + i), square = V::load(to_v + i);
        update(V::load(g + i), weight, mean, square);
        weight.store(to_p + i);
        mean.store(to_m + i);
        square.store(to_v + i);
      }
      if (rest == 0 || to_p != p) break;
      V::load(g + whole, rest).store(padded[0]);
      V::load(p + whole, rest).store(padded[1]);
      V::load(m + whole, rest).store(padded[2]);
      V::load(v + whole, rest).store(padded[3]);
      g = padded[0];
      to_p = padded[1];
      to_m = padded[2];
      to_v = padded[3];
    }
    if (rest > 0) {
      V::load(to_p).store(p + whole, rest);
      V::load(to_m).store(m + whole, rest);
      V::load(to_v).store(v + whole, rest);
    }
  }
};

}  // namespace detail

inline void adam(const AdamStep& step, const Scalar* g, Scalar* p, Scalar* m, Scalar* v, Index n) {
  run<detail::Adam>(&step, g, p, m, v, n);
}

}  // namespace tapegrad::inline TAPEGRAD_ABI::simd
