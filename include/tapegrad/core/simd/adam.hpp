#pragma once
// Adam's update. Declared and described in simd.hpp.

#include <cmath>
#include <limits>
#include <type_traits>

#include "../memory.hpp"
#include "simd.hpp"
#include "vec.hpp"

namespace tapegrad::inline TAPEGRAD_ABI::simd {
namespace detail {

/// With weight decay of either kind or without, which most do and which is faster.
template <bool decays>
struct Adam {
  template <int lanes>
  static TAPEGRAD_INLINE void run(const AdamStep* options, const Scalar* g, Scalar* p, Scalar* m, Scalar* v, Index n) {
    using V = Vec<Scalar, lanes>;
    const AdamStep& s = *options;
    const auto all = [](double x) __attribute__((always_inline)) { return V::all(static_cast<Scalar>(x)); };
    const V least = V::all(std::numeric_limits<Scalar>::min());
    const V beta1 = all(s.beta1), rest1 = all(1 - s.beta1), beta2 = all(s.beta2), rest2 = all(1 - s.beta2);
    const V down = all(-s.step), root_scale = all(s.root_scale), eps = all(s.eps), l2 = all(s.l2), keep = all(s.keep);
    // Slopes whose square would be subnormal, and such that no mean of their squares overflows.
    const V least_slope = all(std::sqrt(std::numeric_limits<Scalar>::min() / (1 - s.beta2)));
    const V most_slope = all(std::sqrt(std::numeric_limits<Scalar>::max()) / 2), lowest_slope = V::zero() - most_slope;

    const auto update_moments = [&](const V& gradient, const V& weight, V& mean, V& square)
        __attribute__((always_inline)) {
      const V decayed = decays ? fma(l2, weight, gradient) : gradient;
      const V slope = if_less(most_slope, decayed, most_slope, if_less(decayed, lowest_slope, lowest_slope, decayed));
      mean = fma(rest1, slope, fma(V::zero(), decayed, beta1 * mean));  // 0 times what is infinite is NaN, which shows
      mean = if_less(abs(mean), least, V::zero(), mean);
      const V squared = if_less(abs(slope), least_slope, V::zero(), slope);
      square = fma(rest2 * squared, squared, beta2 * square);
      square = if_less(square, least, V::zero(), square);
    };
    const auto updated = [&](const V& weight, const V& mean, const V& square) __attribute__((always_inline)) {
      return fma(down, mean / fma(root_scale, sqrt(square), eps), decays ? keep * weight : weight);
    };
    // Moments of `count` vectors, then their weights: a root and a quotient take long, and meanwhile the processor gets
    // as far as the next moments, but not over all of one vector to the root of the next.
    const auto update = [&]<int count>(std::integral_constant<int, count>, Index i) __attribute__((always_inline)) {
      V mean[count], square[count];
      TAPEGRAD_UNROLL
      for (int j = 0; j < count; ++j) {
        const Index at = i + j * lanes;
        mean[j] = V::load(m + at);
        square[j] = V::load(v + at);
        update_moments(V::load(g + at), V::load(p + at), mean[j], square[j]);
        mean[j].store(m + at);
        square[j].store(v + at);
      }
      TAPEGRAD_UNROLL
      for (int j = 0; j < count; ++j) {
        Scalar* const weights = p + i + j * lanes;
        updated(V::load(weights), mean[j], square[j]).store(weights);
      }
    };
    // A line that another core has read must first be one's own alone: up to 300 ns where cores share no cache, and for
    // few lines at a time if a processor asks no sooner than it stores.
    constexpr Index ahead = 32 * tapegrad::detail::cache_line;
    const auto fetch = [&](Index begin, Index end) __attribute__((always_inline)) {
      for (Index at = begin; at < end && at < n; at += tapegrad::detail::cache_line) __builtin_prefetch(p + at, 1);
    };
    if (s.shared) fetch(0, ahead);
    constexpr std::integral_constant<int, 4> four;
    constexpr std::integral_constant<int, 1> one;
    Index i = 0;
    for (; i + four * lanes <= n; i += four * lanes) {
      if (s.shared) fetch(i + ahead, i + ahead + four * lanes);
      update(four, i);
    }
    for (; i + lanes <= n; i += lanes) update(one, i);
    if (const Index rest = n - i; rest > 0) {
      const V weight = V::load(p + i, rest);
      V mean = V::load(m + i, rest), square = V::load(v + i, rest);
      update_moments(V::load(g + i, rest), weight, mean, square);
      updated(weight, mean, square).store(p + i, rest);
      mean.store(m + i, rest);
      square.store(v + i, rest);
    }
  }
};

}  // namespace detail

TAPEGRAD_BODY void adam(const AdamStep& step, const Scalar* g, Scalar* p, Scalar* m, Scalar* v, Index n) {
  if (step.l2 == 0 && step.keep == 1)
    run<detail::Adam<false>>(&step, g, p, m, v, n);
  else
    run<detail::Adam<true>>(&step, g, p, m, v, n);
}

}  // namespace tapegrad::inline TAPEGRAD_ABI::simd
