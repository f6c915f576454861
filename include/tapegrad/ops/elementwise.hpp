#pragma once
// Functions of each element by itself: neg, abs, square, sqrt, pow, exp, log, log1p, tanh, clamp. NaN stays NaN, but
// for x to the power of 0, which is 1.

#include <cmath>
#include <limits>

#include "../autodiff/apply.hpp"
#include "../core/simd/simd.hpp"
#include "blocks.hpp"
#include "options.hpp"
#include "select.hpp"

namespace tapegrad::inline TAPEGRAD_ABI {

namespace detail {

/// What ops on each element have in common: the result has the input's shape.
struct Elementwise {
  Shape shape(const Shape& x) const { return x; }
};

/// y = f(x) by a function of core/simd.
inline void map(void (*f)(const Scalar*, Scalar*, Index), ConstTensorView x, TensorView y) {
  parallel_for(x.size(), costly_chunk_size,
               [&](Index begin, Index end) { f(x.data() + begin, y.data() + begin, end - begin); });
}

/// For a gradient that is computed in two steps: body(begin, n, scratch, to, first) for each block of it, where
/// `scratch` is room for n numbers.
inline void contribute_blocks(Gradient gradient, FunctionRef<void(Index, Index, Scalar*, Scalar*, bool)> body) {
  if (!gradient) return;
  const Gradient::Target to = gradient.target();
  parallel_for(to.view.size(), costly_chunk_size, [&](Index chunk_begin, Index chunk_end) {
    Block scratch;
    for_blocks(chunk_begin, chunk_end,
               [&](Index begin, Index n) { body(begin, n, scratch.data, to.view.data() + begin, to.first); });
  });
}

inline constexpr auto negated = [](const Four& x) { return -x; };

}  // namespace detail

namespace ops {

struct Neg : detail::Elementwise {
  static constexpr const char* name = "neg";
  void forward(ConstTensorView x, TensorView y) const { detail::each(y, detail::negated, x); }
  void backward(ConstTensorView, ConstTensorView, ConstTensorView dy, Gradient dx) const {
    detail::contribute(dx, detail::negated, dy);
  }
};

struct Abs : detail::Elementwise {
  static constexpr const char* name = "abs";
  void forward(ConstTensorView x, TensorView y) const {
    detail::each(
        y, [](const Four& a) { return abs(a); }, x);
  }
  void backward(ConstTensorView x, ConstTensorView, ConstTensorView dy, Gradient dx) const {
    const auto slope = [](const Four& at, const Four& g) {
      return if_nan(at, at, detail::where_positive(at, g) - detail::where_positive(-at, g));
    };
    detail::contribute(dx, slope, x, dy);
  }
};

struct Square : detail::Elementwise {
  static constexpr const char* name = "square";
  void forward(ConstTensorView x, TensorView y) const {
    detail::each(
        y, [](const Four& a) { return square(a); }, x);
  }
  void backward(ConstTensorView x, ConstTensorView, ConstTensorView dy, Gradient dx) const {
    const auto slope = [](const Four& at, const Four& g) { return 2 * (at * g); };  // 2 * at may overflow
    detail::contribute(dx, slope, x, dy);
  }
};

struct Sqrt : detail::Elementwise {
  static constexpr const char* name = "sqrt";
  void forward(ConstTensorView x, TensorView y) const {
    detail::each(
        y, [](const Four& a) { return sqrt(a); }, x);
  }
  void backward(ConstTensorView, ConstTensorView y, ConstTensorView dy, Gradient dx) const {
    detail::contribute(
        dx, [](const Four& root, const Four& g) { return g / (2 * root); }, y, dy);
  }
};

struct Pow : detail::Elementwise {
  static constexpr const char* name = "pow";
  Scalar exponent;

  void forward(ConstTensorView x, TensorView y) const {
    if (exponent == 2) return Square().forward(x, y);  // the most frequent, and many times as fast
    const auto power = [this](Scalar base) { return std::pow(base, exponent); };
    detail::each(
        y, [&](const Four& base) { return one_by_one(power, base); }, x);
  }
  void backward(ConstTensorView x, ConstTensorView, ConstTensorView dy, Gradient dx) const {
    if (!dx) return;
    if (exponent == 2) return Square().backward(x, x, dy, dx);
    if (exponent == 0) {
      dx.accumulator();  // x^-1 * 0 would be NaN at 0
    } else {
      // In double, as in float the power may overflow where its product with the rest does not.
      const auto slope = [e = double{exponent}](Scalar base, Scalar g) {
        return static_cast<Scalar>(e * double{g} * std::pow(double{base}, e - 1));
      };
      detail::contribute(
          dx, [&](const Four& base, const Four& g) { return one_by_one(slope, base, g); }, x, dy);
    }
  }
};

struct Exp : detail::Elementwise {
  static constexpr const char* name = "exp";
  void forward(ConstTensorView x, TensorView y) const { detail::map(simd::exp, x, y); }
  void backward(ConstTensorView, ConstTensorView y, ConstTensorView dy, Gradient dx) const {
    detail::contribute(
        dx, [](const Four& result, const Four& g) { return g * result; }, y, dy);
  }
};

struct Log : detail::Elementwise {
  static constexpr const char* name = "log";
  void forward(ConstTensorView x, TensorView y) const { detail::map(simd::log, x, y); }
  void backward(ConstTensorView x, ConstTensorView, ConstTensorView dy, Gradient dx) const {
    detail::contribute(
        dx, [](const Four& at, const Four& g) { return g / at; }, x, dy);
  }
};

struct Log1p : detail::Elementwise {
  static constexpr const char* name = "log1p";
  void forward(ConstTensorView x, TensorView y) const { detail::map(simd::log1p, x, y); }
  void backward(ConstTensorView x, ConstTensorView, ConstTensorView dy, Gradient dx) const {
    detail::contribute(
        dx, [](const Four& at, const Four& g) { return g / (1 + at); }, x, dy);
  }
};

struct Tanh : detail::Elementwise {
  static constexpr const char* name = "tanh";
  void forward(ConstTensorView x, TensorView y) const { detail::map(simd::tanh, x, y); }
  void backward(ConstTensorView, ConstTensorView y, ConstTensorView dy, Gradient dx) const {
    detail::contribute(
        dx, [](const Four& result, const Four& g) { return g * (1 - square(result)); }, y, dy);
  }
};

struct Clamp : detail::Elementwise {
  static constexpr const char* name = "clamp";
  Scalar min;
  Scalar max;

  void forward(ConstTensorView x, TensorView y) const {
    detail::each(
        y, [this](const Four& a) { return detail::at_most(detail::at_least(a, min), max); }, x);
  }
  void backward(ConstTensorView x, ConstTensorView, ConstTensorView dy, Gradient dx) const {
    const auto slope = [this](const Four& at, const Four& g) {
      const Four none = Four::zero();
      return if_nan(at, none, if_less(at, Four::all(min), none, if_less(Four::all(max), at, none, g)));
    };
    detail::contribute(dx, slope, x, dy);
  }
};

}  // namespace ops

/// -x.
inline Var neg(Var x) { return apply(ops::Neg{}, x); }
inline Var operator-(Var x) { return neg(x); }
/// |x|. Its derivative at 0 is taken to be 0.
inline Var abs(Var x) { return apply(ops::Abs{}, x); }
/// x * x.
inline Var square(Var x) { return apply(ops::Square{}, x); }
/// The square root: NaN below 0; its derivative at 0 is infinite.
inline Var sqrt(Var x) { return apply(ops::Sqrt{}, x); }
/// x to a fixed power, as std::pow has it: NaN for a negative x unless the exponent is an integer. Throws ValueError
/// for an exponent that is not finite.
inline Var pow(Var x, double exponent) {
  return apply(ops::Pow{{}, detail::finite("pow", "the exponent", exponent)}, x);
}
/// e to the x.
inline Var exp(Var x) { return apply(ops::Exp{}, x); }
/// The natural logarithm: -infinity at 0, NaN below.
inline Var log(Var x) { return apply(ops::Log{}, x); }
/// log(1 + x), exact for small x.
inline Var log1p(Var x) { return apply(ops::Log1p{}, x); }
/// The hyperbolic tangent.
inline Var tanh(Var x) { return apply(ops::Tanh{}, x); }

/// x, but `min` where it is less and `max` where it is greater; there the derivative is 0, at the bounds it is 1.
/// Throws ValueError if min > max or one of them is NaN.
inline Var clamp(Var x, double min, double max) {
  detail::require<ValueError>(min <= max, "clamp: got [", min, ", ", max, "]; the bounds must be numbers and in order");
  return apply(ops::Clamp{{}, static_cast<Scalar>(min), static_cast<Scalar>(max)}, x);
}
/// clamp without an upper bound.
inline Var clamp_min(Var x, double min) { return clamp(x, min, std::numeric_limits<double>::infinity()); }
/// clamp without a lower bound.
inline Var clamp_max(Var x, double max) { return clamp(x, -std::numeric_limits<double>::infinity(), max); }

}  // namespace tapegrad::inline TAPEGRAD_ABI
