#pragma once
// What makes networks nonlinear: sigmoid, relu, leaky_relu, elu, softplus, silu, gelu (and tanh, of elementwise.hpp).
// NaN stays NaN, and where there is a limit at infinity, that is the value.

#include <cmath>
#include <limits>
#include <numbers>

#include "elementwise.hpp"
#include "options.hpp"

namespace tapegrad::inline TAPEGRAD_ABI {

namespace detail {

/// x, at least the lowest finite number: times a factor that vanishes, it must give 0 at -infinity.
TAPEGRAD_INLINE Four above_minus_infinity(const Four& x) { return at_least(x, std::numeric_limits<Scalar>::lowest()); }
/// x within +-1000, beyond which the derivatives of silu and gelu are 0 or 1 whatever it is, in double too.
TAPEGRAD_INLINE Four within_range(const Four& x) { return at_most(at_least(x, -1000), 1000); }

inline constexpr auto times_finite = [](const Four& factor, const Four& x) { return factor * above_minus_infinity(x); };

}  // namespace detail

namespace ops {

struct Sigmoid : detail::Elementwise {
  static constexpr const char* name = "sigmoid";
  void forward(ConstTensorView x, TensorView y) const { detail::map(simd::sigmoid, x, y); }
  void backward(ConstTensorView, ConstTensorView y, ConstTensorView dy, Gradient dx) const {
    detail::contribute(
        dx, [](const Four& result, const Four& g) { return g * result * (1 - result); }, y, dy);
  }
};

struct Relu : detail::Elementwise {
  static constexpr const char* name = "relu";
  void forward(ConstTensorView x, TensorView y) const {
    detail::each(
        y, [](const Four& a) { return detail::at_least(a, 0); }, x);
  }
  void backward(ConstTensorView, ConstTensorView y, ConstTensorView dy, Gradient dx) const {
    // By what is 0, not by what is positive: a NaN hands its gradient on, as in PyTorch.
    detail::contribute(
        dx, [](const Four& result, const Four& g) { return if_equal(result, Four::zero(), Four::zero(), g); }, y, dy);
  }
};

struct LeakyRelu : detail::Elementwise {
  static constexpr const char* name = "leaky_relu";
  Scalar slope;

  static Scalar checked(double slope) { return detail::finite(name, "negative_slope", slope); }

  void forward(ConstTensorView x, TensorView y) const {
    // -infinity times a slope of 0 is to be 0.
    const Scalar least = slope == 0 ? std::numeric_limits<Scalar>::lowest() : -std::numeric_limits<Scalar>::infinity();
    const auto value = [least, slope = slope](const Four& a) {
      return detail::where_positive(a, a, slope * detail::at_least(a, least));
    };
    detail::each(y, value, x);
  }
  void backward(ConstTensorView x, ConstTensorView, ConstTensorView dy, Gradient dx) const {
    const auto sloped = [this](const Four& at, const Four& g) { return detail::where_positive(at, g, slope * g); };
    detail::contribute(dx, sloped, x, dy);
  }
};

struct Elu : detail::Elementwise {
  static constexpr const char* name = "elu";
  Scalar alpha;

  static Scalar checked(double alpha) { return detail::finite(name, "alpha", alpha); }

  void forward(ConstTensorView x, TensorView y) const {
    detail::map(simd::expm1, x, y);
    const auto joined = [this](const Four& a, const Four& grown) {
      return detail::where_positive(a, a, alpha * grown);
    };
    detail::each(y, joined, x, y);
  }
  /// By exp(x), not y + alpha, which loses the digits of a small slope.
  void backward(ConstTensorView x, ConstTensorView, ConstTensorView dy, Gradient dx) const {
    const auto slope = [this](const Four& at, const Four& e, const Four& g) {
      return detail::where_positive(at, g, g * alpha * e);
    };
    detail::contribute_blocks(dx, [&](Index begin, Index n, Scalar* exps, Scalar* to, bool first) {
      simd::exp(x.data() + begin, exps, n);
      detail::put(to, n, first, slope, x.data() + begin, exps, dy.data() + begin);
    });
  }
};

struct Softplus : detail::Elementwise {
  static constexpr const char* name = "softplus";
  void forward(ConstTensorView x, TensorView y) const { detail::map(simd::softplus, x, y); }
  void backward(ConstTensorView x, ConstTensorView, ConstTensorView dy, Gradient dx) const {
    detail::contribute_blocks(dx, [&](Index begin, Index n, Scalar* sigmoid, Scalar* to, bool first) {
      simd::sigmoid(x.data() + begin, sigmoid, n);
      detail::put(
          to, n, first, [](const Four& g, const Four& s) { return g * s; }, dy.data() + begin, sigmoid);
    });
  }
};

struct Silu : detail::Elementwise {
  static constexpr const char* name = "silu";
  void forward(ConstTensorView x, TensorView y) const {
    detail::map(simd::sigmoid, x, y);
    detail::each(y, detail::times_finite, y, x);
  }
  void backward(ConstTensorView x, ConstTensorView, ConstTensorView dy, Gradient dx) const {
    const auto slope = [](const Four& a, const Four& s, const Four& g) {
      return g * s * (1 + detail::within_range(a) * (1 - s));
    };
    detail::contribute_blocks(dx, [&](Index begin, Index n, Scalar* sigmoid, Scalar* to, bool first) {
      simd::sigmoid(x.data() + begin, sigmoid, n);
      detail::put(to, n, first, slope, x.data() + begin, sigmoid, dy.data() + begin);
    });
  }
};

/// Hendrycks and Gimpel 2016, section 2: x Phi(x), Phi the distribution function of N(0, 1).
struct GeluExact : detail::Elementwise {
  static constexpr const char* name = "gelu";
  Shape saved(const Shape& x) const { return x; }  // Phi(x)

  void forward(ConstTensorView x, TensorView y, TensorView phi) const {
    const auto distribution = [](Scalar at) { return std::erfc(at * -inverse_sqrt2) / 2; };
    detail::each(
        phi, [&](const Four& a) { return one_by_one(distribution, a); }, x);
    detail::each(y, detail::times_finite, phi, x);
  }
  void backward(ConstTensorView x, ConstTensorView, ConstTensorView phi, ConstTensorView dy, Gradient dx) const {
    constexpr auto inverse_sqrt_2pi = static_cast<Scalar>(std::numbers::inv_sqrtpi_v<double> / std::numbers::sqrt2);
    const auto exponent = [](const Four& a) { return square(detail::within_range(a)) / -2; };
    const auto slope = [](const Four& a, const Four& p, const Four& density, const Four& g) {
      return g * (p + inverse_sqrt_2pi * detail::within_range(a) * density);
    };
    detail::contribute_blocks(dx, [&](Index begin, Index n, Scalar* density, Scalar* to, bool first) {
      detail::each(density, n, exponent, x.data() + begin);
      simd::exp(density, density, n);
      detail::put(to, n, first, slope, x.data() + begin, phi.data() + begin, density, dy.data() + begin);
    });
  }

 private:
  static constexpr auto inverse_sqrt2 = static_cast<Scalar>(1 / std::numbers::sqrt2);
};

/// The same section's approximation, x/2 (1 + tanh(u)) = x sigmoid(2u) for u = sqrt(2 / pi) (x + 0.044715 x^3).
struct GeluTanh : detail::Elementwise {
  static constexpr const char* name = "gelu";

  void forward(ConstTensorView x, TensorView y) const {
    detail::each(y, twice_u, x);
    detail::map(simd::sigmoid, y, y);
    detail::each(y, detail::times_finite, y, x);
  }
  void backward(ConstTensorView x, ConstTensorView, ConstTensorView dy, Gradient dx) const {
    const auto bounded = [](const Four& a) { return twice_u(detail::within_range(a)); };
    const auto slope = [](const Four& a, const Four& s, const Four& g) {
      const Four at = detail::within_range(a);
      return g * s * (1 + at * (1 - s) * (linear + 3 * cubic * square(at)));
    };
    detail::contribute_blocks(dx, [&](Index begin, Index n, Scalar* sigmoid, Scalar* to, bool first) {
      detail::each(sigmoid, n, bounded, x.data() + begin);
      simd::sigmoid(sigmoid, sigmoid, n);
      detail::put(to, n, first, slope, x.data() + begin, sigmoid, dy.data() + begin);
    });
  }

 private:
  static constexpr auto linear =  // of 2u
      static_cast<Scalar>(2 * std::numbers::sqrt2 * std::numbers::inv_sqrtpi_v<double>);
  static constexpr auto cubic = static_cast<Scalar>(0.044715 * linear);
  static constexpr auto twice_u = [](const Four& x) { return linear * x + cubic * (x * x * x); };
};

}  // namespace ops

/// 1 / (1 + exp(-x)), without overflow.
inline Var sigmoid(Var x) { return apply(ops::Sigmoid{}, x); }
/// max(x, 0). Its derivative at 0 is taken to be 0.
inline Var relu(Var x) { return apply(ops::Relu{}, x); }
/// x where it is positive, else negative_slope * x. Throws ValueError unless that is finite.
inline Var leaky_relu(Var x, double negative_slope = 0.01) {
  return apply(ops::LeakyRelu{{}, ops::LeakyRelu::checked(negative_slope)}, x);
}
/// x where it is positive, else alpha * (exp(x) - 1). Throws ValueError unless alpha is finite.
inline Var elu(Var x, double alpha = 1) { return apply(ops::Elu{{}, ops::Elu::checked(alpha)}, x); }
/// log(1 + exp(x)), without overflow.
inline Var softplus(Var x) { return apply(ops::Softplus{}, x); }
/// x * sigmoid(x), also called swish.
inline Var silu(Var x) { return apply(ops::Silu{}, x); }

/// The two forms of gelu: x Phi(x) by the error function, or an approximation of it by tanh. The first asks the C
/// library for each element by itself, which takes many times as long.
enum class Gelu { exact, tanh };
/// x Phi(x), where Phi is the distribution function of N(0, 1).
inline Var gelu(Var x, Gelu form = Gelu::exact) {
  return form == Gelu::exact ? apply(ops::GeluExact{}, x) : apply(ops::GeluTanh{}, x);
}

}  // namespace tapegrad::inline TAPEGRAD_ABI
