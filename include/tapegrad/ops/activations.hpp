#pragma once
// What makes networks nonlinear: sigmoid, relu, leaky_relu, elu, softplus, silu, gelu (and tanh, of elementwise.hpp).
// NaN stays NaN, and where there is a limit at infinity, that is the value.

#include <numbers>

#include "elementwise.hpp"

namespace tapegrad::inline TAPEGRAD_ABI {

namespace detail {

/// x, at least the lowest finite number: times a factor that vanishes, it must give 0 at -infinity.
template <class X>
auto above_minus_infinity(const Eigen::ArrayBase<X>& x) {
  return at_least(x, std::numeric_limits<Scalar>::lowest());
}
/// x within +-1000, beyond which the derivatives of silu and gelu are 0 or 1 whatever it is, in double too.
template <class X>
auto within_range(const Eigen::ArrayBase<X>& x) {
  return at_most(at_least(x, -1000), 1000);
}

}  // namespace detail

namespace ops {

struct Sigmoid : detail::Elementwise {
  static constexpr const char* name = "sigmoid";
  void forward(ConstTensorView x, TensorView y) const { detail::map(simd::sigmoid, x, y); }
  void backward(ConstTensorView, ConstTensorView y, ConstTensorView dy, Gradient dx) const {
    if (dx) dx += dy.array() * y.array() * (1 - y.array());
  }
};

struct Relu : detail::Elementwise {
  static constexpr const char* name = "relu";
  void forward(ConstTensorView x, TensorView y) const { y.assign(detail::at_least(x.array(), 0)); }
  void backward(ConstTensorView, ConstTensorView y, ConstTensorView dy, Gradient dx) const {
    if (dx) dx += detail::where_positive(y.array(), dy.array());
  }
};

struct LeakyRelu : detail::Elementwise {
  static constexpr const char* name = "leaky_relu";
  Scalar slope;

  void forward(ConstTensorView x, TensorView y) const {
    y.assign(detail::where_positive(x.array(), x.array(), slope * x.array()));
  }
  void backward(ConstTensorView x, ConstTensorView, ConstTensorView dy, Gradient dx) const {
    if (dx) dx += detail::where_positive(x.array(), dy.array(), slope * dy.array());
  }
};

struct Elu : detail::Elementwise {
  static constexpr const char* name = "elu";
  Scalar alpha;

  void forward(ConstTensorView x, TensorView y) const {
    detail::map(simd::expm1, x, y);
    y.assign(detail::where_positive(x.array(), x.array(), alpha * y.array()));
  }
  /// By exp(x), not y + alpha, which loses the digits of a small slope.
  void backward(ConstTensorView x, ConstTensorView, ConstTensorView dy, Gradient dx) const {
    if (!dx) return;
    detail::contribute(dx, [&](Index begin, Index n, auto exps) {
      simd::exp(x.data() + begin, exps.data(), n);
      const auto slope = dy.array().segment(begin, n);
      return detail::where_positive(x.array().segment(begin, n), slope, slope * alpha * exps);
    });
  }
};

struct Softplus : detail::Elementwise {
  static constexpr const char* name = "softplus";
  void forward(ConstTensorView x, TensorView y) const { detail::map(simd::softplus, x, y); }
  void backward(ConstTensorView x, ConstTensorView, ConstTensorView dy, Gradient dx) const {
    if (!dx) return;
    detail::contribute(dx, [&](Index begin, Index n, auto sigmoid) {
      simd::sigmoid(x.data() + begin, sigmoid.data(), n);
      return dy.array().segment(begin, n) * sigmoid;
    });
  }
};

struct Silu : detail::Elementwise {
  static constexpr const char* name = "silu";
  void forward(ConstTensorView x, TensorView y) const {
    detail::map(simd::sigmoid, x, y);
    y.assign(y.array() * detail::above_minus_infinity(x.array()));
  }
  void backward(ConstTensorView x, ConstTensorView, ConstTensorView dy, Gradient dx) const {
    if (!dx) return;
    detail::contribute(dx, [&](Index begin, Index n, auto sigmoid) {
      simd::sigmoid(x.data() + begin, sigmoid.data(), n);
      const auto at = detail::within_range(x.array().segment(begin, n));
      return dy.array().segment(begin, n) * sigmoid * (1 + at * (1 - sigmoid));
    });
  }
};

/// Hendrycks and Gimpel 2016, section 2: x Phi(x), Phi the distribution function of N(0, 1).
struct GeluExact : detail::Elementwise {
  static constexpr const char* name = "gelu";
  Shape saved(const Shape& x) const { return x; }  // Phi(x)

  void forward(ConstTensorView x, TensorView y, TensorView phi) const {
    phi.assign(x.array().unaryExpr([](Scalar at) { return std::erfc(at * -inverse_sqrt2) / 2; }));
    y.assign(phi.array() * detail::above_minus_infinity(x.array()));
  }
  void backward(ConstTensorView x, ConstTensorView, ConstTensorView phi, ConstTensorView dy, Gradient dx) const {
    if (!dx) return;
    constexpr auto inverse_sqrt_2pi = static_cast<Scalar>(std::numbers::inv_sqrtpi_v<double> / std::numbers::sqrt2);
    detail::contribute(dx, [&](Index begin, Index n, auto density) {
      const auto at = detail::within_range(x.array().segment(begin, n));
      density = at.square() / -2;
      simd::exp(density.data(), density.data(), n);
      return dy.array().segment(begin, n) * (phi.array().segment(begin, n) + inverse_sqrt_2pi * at * density);
    });
  }

 private:
  static constexpr auto inverse_sqrt2 = static_cast<Scalar>(1 / std::numbers::sqrt2);
};

/// The same section's approximation, x/2 (1 + tanh(u)) = x sigmoid(2u) for u = sqrt(2 / pi) (x + 0.044715 x^3).
struct GeluTanh : detail::Elementwise {
  static constexpr const char* name = "gelu";

  void forward(ConstTensorView x, TensorView y) const {
    y.assign(linear * x.array() + cubic * x.array().cube());
    detail::map(simd::sigmoid, y, y);
    y.assign(y.array() * detail::above_minus_infinity(x.array()));
  }
  void backward(ConstTensorView x, ConstTensorView, ConstTensorView dy, Gradient dx) const {
    if (!dx) return;
    detail::contribute(dx, [&](Index begin, Index n, auto sigmoid) {
      const auto at = detail::within_range(x.array().segment(begin, n));
      sigmoid = linear * at + cubic * at.cube();
      simd::sigmoid(sigmoid.data(), sigmoid.data(), n);
      return dy.array().segment(begin, n) * sigmoid * (1 + at * (1 - sigmoid) * (linear + 3 * cubic * at.square()));
    });
  }

 private:
  static constexpr auto linear =  // of 2u
      static_cast<Scalar>(2 * std::numbers::sqrt2 * std::numbers::inv_sqrtpi_v<double>);
  static constexpr auto cubic = static_cast<Scalar>(0.044715 * linear);
};

}  // namespace ops

/// 1 / (1 + exp(-x)), without overflow.
inline Var sigmoid(Var x) { return apply(ops::Sigmoid{}, x); }
/// max(x, 0). Its derivative at 0 is taken to be 0.
inline Var relu(Var x) { return apply(ops::Relu{}, x); }
/// x where it is positive, else slope * x. Throws ValueError unless the slope is finite.
inline Var leaky_relu(Var x, double slope = 0.01) {
  return apply(ops::LeakyRelu{{}, detail::finite("leaky_relu", "slope", slope)}, x);
}
/// x where it is positive, else alpha * (exp(x) - 1). Throws ValueError unless alpha is finite.
inline Var elu(Var x, double alpha = 1) { return apply(ops::Elu{{}, detail::finite("elu", "alpha", alpha)}, x); }
/// log(1 + exp(x)), without overflow.
inline Var softplus(Var x) { return apply(ops::Softplus{}, x); }
/// x * sigmoid(x), also called swish.
inline Var silu(Var x) { return apply(ops::Silu{}, x); }

/// The two forms of gelu: x Phi(x) by the error function, or an approximation of it by tanh.
enum class Gelu { exact, tanh };
/// x Phi(x), where Phi is the distribution function of N(0, 1).
inline Var gelu(Var x, Gelu form = Gelu::exact) {
  return form == Gelu::exact ? apply(ops::GeluExact{}, x) : apply(ops::GeluTanh{}, x);
}

}  // namespace tapegrad::inline TAPEGRAD_ABI
