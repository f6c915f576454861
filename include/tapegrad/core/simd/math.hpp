#pragma once
// y[i] = f(x[i]) for the functions that activations and losses are made of. Declared and described in simd.hpp.
//
// Each function is a range reduction and a polynomial. The polynomials are minimax in relative error, found by
// Sollya's fpminimax with coefficients in single precision; the remark beside each is its error in units of 2^-24.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "vec.hpp"

namespace tapegrad::inline TAPEGRAD_ABI::simd {
namespace detail {

inline constexpr float infinity = std::numeric_limits<float>::infinity();
inline constexpr float smallest_normal = std::numeric_limits<float>::min();
inline constexpr float ln2_high = 0x1.62e4p-1f;  // 15 bits: its product with an exponent is exact
inline constexpr float ln2_low = 0x1.7f7d1cp-20f;

/// c0 + x * (c1 + x * (...)).
template <int lanes>
TAPEGRAD_INLINE Floats<lanes> polynomial(const Floats<lanes>&, float c0) {
  return Floats<lanes>::all(c0);
}
template <int lanes, class... Coefficients>
TAPEGRAD_INLINE Floats<lanes> polynomial(const Floats<lanes>& x, float c0, Coefficients... more) {
  return fma(polynomial(x, more...), x, Floats<lanes>::all(c0));
}

/// x = n ln 2 + r with a whole n and |r| <= ln 2 / 2. Returns r; `exponent` is n, shifted to where a float has its
/// exponent. (Two results come back as one and a reference: g++ takes a pair of vectors through memory.)
template <int lanes>
TAPEGRAD_INLINE Floats<lanes> reduce(const Floats<lanes>& x, Bits<lanes>& exponent) {
  using V = Floats<lanes>;
  // Adding 1.5 * 2^23 rounds to a whole number, which the lowest bits then hold.
  const V shifter = V::all(0x1.8p23f);
  const V shifted = fma(x, V::all(0x1.715476p0f), shifter);
  const V n = shifted - shifter;
  exponent = {bit_cast<std::uint32_t>(shifted).raw << 23};
  return fma(n, V::all(-ln2_low), fma(n, V::all(-ln2_high), x));
}

/// e ln 2 + log(1 + f) for sqrt(1/2) - 1 <= f < sqrt(2) - 1.
template <int lanes>
TAPEGRAD_INLINE Floats<lanes> log_of(const Floats<lanes>& f, const Floats<lanes>& e) {
  using V = Floats<lanes>;
  const V square = f * f;
  const V cubic = polynomial(f, 0x1.55557p-2f, -0x1.000234p-2f, 0x1.99944ep-3f, -0x1.5466fep-3f, 0x1.239ce2p-3f,
                             -0x1.0e96ccp-3f, 0x1.015974p-3f, -0x1.2a6f78p-4f);  // error 0.14
  const V small = fma(e, V::all(ln2_low), fma(square, V::all(-0.5f), f * square * cubic));
  return fma(e, V::all(ln2_high), f + small);
}

/// x = 2^e m for sqrt(1/2) <= m < sqrt(2), for a normal x. Returns m.
template <int lanes>
TAPEGRAD_INLINE Floats<lanes> split(const Floats<lanes>& x, Floats<lanes>& e) {
  constexpr std::uint32_t root_half = 0x3f3504f3, one = 0x3f800000, fraction = 0x007fffff;
  const Bits<lanes> moved{bit_cast<std::uint32_t>(x).raw + (one - root_half)};
  e = convert<float>(Vec<std::int32_t, lanes>{(bit_cast<std::int32_t>(moved).raw >> 23) - 127});
  return bit_cast<float>(Bits<lanes>{(moved.raw & fraction) + root_half});
}

struct Exp {
  static double of(double x) { return std::exp(x); }
  template <int lanes>
  static TAPEGRAD_INLINE Floats<lanes> of(const Floats<lanes>& x) {
    using V = Floats<lanes>;
    Bits<lanes> exponent;
    const V r = reduce(x, exponent);
    const V q = polynomial(r, 0x1.fffffap-2f, 0x1.555492p-3f, 0x1.555a26p-5f, 0x1.123988p-7f, 0x1.694cd4p-10f);  // 0.06
    const V p = 1 + fma(r * r, q, r);
    V y = bit_cast<float>(Bits<lanes>{bit_cast<std::uint32_t>(p).raw + exponent.raw});
    y = if_less(x, V::all(-0x1.5d589ep6f), V::zero(), y);  // log of the smallest normal number
    y = if_less(V::all(0x1.62e42ep6f), x, V::all(infinity), y);
    return if_nan(x, x, y);
  }
};

struct Expm1 {
  static double of(double x) { return std::expm1(x); }
  template <int lanes>
  static TAPEGRAD_INLINE Floats<lanes> of(const Floats<lanes>& x) {
    using V = Floats<lanes>;
    const V least = V::all(-20);  // where the result has long been -1
    Bits<lanes> exponent;
    const V r = reduce(if_less(x, least, least, x), exponent);
    const V q = polynomial(r, 0x1p-1f, 0x1.555554p-3f, 0x1.5554fp-5f, 0x1.111306p-7f, 0x1.6d4372p-10f,
                           0x1.9e0c28p-13f);  // error 0.01
    const V p = fma(r * r, q, r);
    // 2^n p + (2^n - 1), halved, as 2^128 is not a float.
    const V half_power = bit_cast<float>(Bits<lanes>{exponent.raw + (126u << 23)});
    const V half = fma(half_power, p, half_power - 0.5f);
    V y = if_less(V::all(0x1.62e42ep6f), x, V::all(infinity), half + half);
    y = if_less(abs(x), V::all(0x1p-25f), x, y);
    return if_nan(x, x, y);
  }
};

struct Log {
  static double of(double x) { return std::log(x); }
  template <int lanes>
  static TAPEGRAD_INLINE Floats<lanes> of(const Floats<lanes>& x) {
    using V = Floats<lanes>;
    const V least = V::all(smallest_normal);
    V e;
    const V m = split(if_less(x, least, x * 0x1p23f, x), e);
    V y = log_of(m - 1, if_less(x, least, e - 23, e));
    y = if_less(x, V::all(infinity), y, x);  // infinity and NaN
    y = if_less(x, V::zero(), V::all(std::numeric_limits<float>::quiet_NaN()), y);
    return if_equal(x, V::zero(), V::all(-infinity), y);
  }
};

struct Log1p {
  static double of(double x) { return std::log1p(x); }
  template <int lanes>
  static TAPEGRAD_INLINE Floats<lanes> of(const Floats<lanes>& x) {
    using V = Floats<lanes>;
    const V u = 1 + x;
    const V lost = if_less(x, V::all(1), x - (u - 1), 1 - (u - x));  // what rounding u has cost
    V e;
    const V m = split(u, e);
    const V far = V::all(30);  // beyond which it does not matter
    const Bits<lanes> down = bit_cast<std::uint32_t>(convert<std::int32_t>(127 - if_less(far, e, far, e)));
    const V scale = bit_cast<float>(Bits<lanes>{down.raw << 23});
    const V f = m - 1 + lost * scale;
    // Where log(1 + x) is x, the logarithm would square it: far below, into subnormal numbers, which are slow.
    const V least = V::all(0x1p-25f);
    V y = log_of(if_less(abs(x), least, least, f), e);
    y = if_less(abs(x), least, x, y);
    y = if_less(x, V::all(infinity), y, x);  // infinity and NaN
    y = if_equal(x, V::all(-1), V::all(-infinity), y);
    return if_less(x, V::all(-1), V::all(std::numeric_limits<float>::quiet_NaN()), y);
  }
};

struct Tanh {
  static double of(double x) { return std::tanh(x); }
  template <int lanes>
  static TAPEGRAD_INLINE Floats<lanes> of(const Floats<lanes>& x) {
    using V = Floats<lanes>;
    const V size = abs(x), square = x * x;
    const V q = polynomial(square, -0x1.555548p-2f, 0x1.110c7p-3f, -0x1.b90a76p-5f, 0x1.584238p-6f,
                           -0x1.958c74p-8f);  // error 0.03
    const V near = fma(x * square, q, x);
    const V far = 1 - 2 / (Exp::of(size + size) + 1);
    const V y = if_less(size, V::all(0.56f), near, if_less(x, V::zero(), V::zero() - far, far));
    return if_less(size, V::all(0x1p-13f), x, y);
  }
};

/// exp(-|x|).
struct ExpMinusAbs {
  static double of(double x) { return std::exp(-std::abs(x)); }
  template <int lanes>
  static TAPEGRAD_INLINE Floats<lanes> of(const Floats<lanes>& x) {
    return Exp::of(Floats<lanes>::zero() - abs(x));
  }
};

struct Sigmoid {
  static double of(double x) {
    const double e = ExpMinusAbs::of(x);
    return (x < 0 ? e : 1) / (1 + e);
  }
  template <int lanes>
  static TAPEGRAD_INLINE Floats<lanes> of(const Floats<lanes>& x) {
    using V = Floats<lanes>;
    const V e = ExpMinusAbs::of(x);
    return if_less(x, V::zero(), e, V::all(1)) / (1 + e);
  }
};

/// log(1 + x) for x in [0, 1].
struct Log1pOfFraction {
  static double of(double x) { return std::log1p(x); }
  template <int lanes>
  static TAPEGRAD_INLINE Floats<lanes> of(const Floats<lanes>& x) {
    using V = Floats<lanes>;
    const V u = 1 + x;  // in [1, 2]: only two exponents, so Log1p's steps are simpler here
    const V lost = x - (u - 1);
    const V root_two = V::all(0x1.6a09e6p0f);
    const V f = if_less(root_two, u, fma(u, V::all(0.5f), lost * 0.5f - 1), x);
    // Where log(1 + f) is f, the logarithm would square it: far below, into subnormal numbers, which are slow.
    const V least = V::all(0x1p-30f);
    return if_less(x, least, x, log_of(if_less(x, least, least, f), if_less(root_two, u, V::all(1), V::zero())));
  }
};

/// The function on a vector of Scalars.
template <class Function, int lanes>
TAPEGRAD_INLINE Vec<Scalar, lanes> apply(const Vec<Scalar, lanes>& x) {
  if constexpr (std::is_same_v<Scalar, float>) {
    return Function::of(x);
  } else {
    Vec<Scalar, lanes> y = x;
    for (int i = 0; i < lanes; ++i) y.raw[i] = Function::of(double{x.raw[i]});
    return y;
  }
}

template <class Function>
struct Map {
  template <int lanes>
  TAPEGRAD_INLINE Vec<Scalar, lanes> operator()(const Vec<Scalar, lanes>& x) const {
    return apply<Function>(x);
  }
  template <int lanes>
  static TAPEGRAD_INLINE void run(const Scalar* x, Scalar* y, Index n) {
    map<lanes>(Map{}, y, n, x);
  }
};

/// y[i] = f(exp(-|x[i]|), x[i], more[i]...). In two loops: in one, an element is so long a chain of steps that a
/// processor has too few elements under way to be busy.
template <int lanes, class F, class... More>
TAPEGRAD_INLINE void map_decay(const F& f, Scalar* y, Index n, const Scalar* x, const More*... more) {
  constexpr Index block = 256;
  alignas(64) Scalar decay[block];
  for (Index begin = 0; begin < n; begin += block) {
    const Index count = std::min(block, n - begin);
    map<lanes>(Map<ExpMinusAbs>{}, decay, count, x + begin);
    map<lanes>(f, y + begin, count, decay, x + begin, (more + begin)...);
  }
}

/// max(x, 0) + log(1 + exp(-|x|)).
struct Softplus {
  template <int lanes>
  static TAPEGRAD_INLINE void run(const Scalar* x, Scalar* y, Index n) {
    using V = Vec<Scalar, lanes>;
    const auto value = [](const V& decay, const V& at) __attribute__((always_inline)) {
      return larger(V::zero(), at) + apply<Log1pOfFraction>(decay);
    };
    map_decay<lanes>(value, y, n, x);
  }
};

}  // namespace detail

TAPEGRAD_BODY void exp(const Scalar* x, Scalar* y, Index n) { run<detail::Map<detail::Exp>>(x, y, n); }
TAPEGRAD_BODY void log(const Scalar* x, Scalar* y, Index n) { run<detail::Map<detail::Log>>(x, y, n); }
TAPEGRAD_BODY void log1p(const Scalar* x, Scalar* y, Index n) { run<detail::Map<detail::Log1p>>(x, y, n); }
TAPEGRAD_BODY void expm1(const Scalar* x, Scalar* y, Index n) { run<detail::Map<detail::Expm1>>(x, y, n); }
TAPEGRAD_BODY void tanh(const Scalar* x, Scalar* y, Index n) { run<detail::Map<detail::Tanh>>(x, y, n); }
TAPEGRAD_BODY void sigmoid(const Scalar* x, Scalar* y, Index n) { run<detail::Map<detail::Sigmoid>>(x, y, n); }
TAPEGRAD_BODY void softplus(const Scalar* x, Scalar* y, Index n) { run<detail::Softplus>(x, y, n); }

}  // namespace tapegrad::inline TAPEGRAD_ABI::simd
