#pragma once
// Binary cross-entropy of logits. Declared and described in simd.hpp.

#include "math.hpp"
#include "reduce.hpp"

namespace tapegrad::inline TAPEGRAD_ABI::simd {
namespace detail {

/// max(a, 0) - t * a: at a target of 0 or 1 this cancels without rounding.
template <int lanes>
TAPEGRAD_INLINE Vec<Scalar, lanes> bce_linear(const Vec<Scalar, lanes>& a, const Vec<Scalar, lanes>& t) {
  const auto zero = Vec<Scalar, lanes>::zero();
  return fma(zero - t, a, larger(zero, a));
}

/// max(a, 0) - t * a + log(1 + exp(-|a|)).
struct Bce {
  template <int lanes>
  static TAPEGRAD_INLINE void run(const Scalar* a, const Scalar* t, Scalar* y, Index n) {
    using V = Vec<Scalar, lanes>;
    const auto value = [](const V& decay, const V& logit, const V& target) __attribute__((always_inline)) {
      return bce_linear(logit, target) + apply<Log1pOfFraction>(decay);
    };
    map_decay<lanes>(value, y, n, a, t);
  }
};

/// One logarithm for several elements of a lane: of the product of their 1 + exp(-|a|). What is kept of a product is
/// what it exceeds 1 by, so that nothing small is lost. All terms are positive.
struct BceSum {
  static constexpr int factors = 8;

  template <int lanes>
  static TAPEGRAD_INLINE double run(const Scalar* a, const Scalar* t, Index n) {
    using V = Vec<Scalar, lanes>;
    constexpr int count = sum_lanes / lanes;
    const V zero = V::zero();
    LaneSums<lanes> sums;
    alignas(64) Scalar block[sum_lanes];
    while (n >= sum_lanes) {
      V excess[count], linear[count];
      TAPEGRAD_UNROLL
      for (int j = 0; j < count; ++j) excess[j] = linear[j] = zero;
      for (int i = 0; i < factors && n >= sum_lanes; ++i, n -= sum_lanes, a += sum_lanes, t += sum_lanes) {
        TAPEGRAD_UNROLL
        for (int j = 0; j < count; ++j) {
          const V logit = V::load(a + j * lanes), target = V::load(t + j * lanes);
          linear[j] = linear[j] + bce_linear(logit, target);
          const V e = apply<ExpMinusAbs>(logit);
          excess[j] = fma(excess[j], e, excess[j] + e);
        }
      }
      TAPEGRAD_UNROLL
      for (int j = 0; j < count; ++j) (linear[j] + apply<Log1p>(excess[j].apart())).store(block + j * lanes);
      sums.add(block);
    }
    Bce::run<lanes>(a, t, block, n);
    sums.add_some(n, block);
    return sums.total();
  }
};

/// (sigmoid(a) - t) * scale.
struct BceSlope {
  template <int lanes>
  static TAPEGRAD_INLINE void run(const Scalar* a, const Scalar* t, Scalar scale, Scalar* da, Index n) {
    using V = Vec<Scalar, lanes>;
    const V scales = V::all(scale);
    map<lanes>(
        [&](const V& a_, const V& t_) __attribute__((always_inline)) { return (apply<Sigmoid>(a_) - t_) * scales; }, da,
        n, a, t);
  }
};

}  // namespace detail

TAPEGRAD_BODY void bce_with_logits(const Scalar* a, const Scalar* t, Scalar* y, Index n) {
  run<detail::Bce>(a, t, y, n);
}
TAPEGRAD_BODY double bce_with_logits_sum(const Scalar* a, const Scalar* t, Index n) {
  return run<detail::BceSum>(a, t, n);
}
TAPEGRAD_BODY void bce_with_logits_backward(const Scalar* a, const Scalar* t, Scalar scale, Scalar* da, Index n) {
  run<detail::BceSlope>(a, t, scale, da, n);
}

}  // namespace tapegrad::inline TAPEGRAD_ABI::simd
