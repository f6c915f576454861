#pragma once
// + - * / between Vars of shapes that broadcast, and with a number on either side, += and its like; the lesser and the
// greater of two.

#include <concepts>

#include "../core/concepts.hpp"
#include "broadcast.hpp"
#include "elementwise.hpp"
#include "select.hpp"

namespace tapegrad::inline TAPEGRAD_ABI {

namespace detail {

/// An op of a Var and a number, out of `Op`'s value(x, number) and dx(x, y, dy, number).
template <class Op>
struct WithNumber : Elementwise {
  Scalar number;
  void forward(ConstTensorView x, TensorView y) const {
    each(
        y, [number = number](const Four& at) { return Op::value(at, number); }, x);
  }
  void backward(ConstTensorView x, ConstTensorView y, ConstTensorView dy, Gradient dx) const {
    const auto slope = [number = number](const Four& at, const Four& result, const Four& g) {
      return Op::dx(at, result, g, number);
    };
    contribute(dx, slope, x, y, dy);
  }
};

}  // namespace detail

namespace ops {

struct Add : detail::Broadcasting<Add> {
  static constexpr const char* name = "add";
  static Four value(const Four& a, const Four& b) { return a + b; }
  static Four da(const Four&, const Four&, const Four&, const Four& dy) { return dy; }
  static Four db(const Four&, const Four&, const Four&, const Four& dy) { return dy; }
};

struct Sub : detail::Broadcasting<Sub> {
  static constexpr const char* name = "sub";
  static Four value(const Four& a, const Four& b) { return a - b; }
  static Four da(const Four&, const Four&, const Four&, const Four& dy) { return dy; }
  static Four db(const Four&, const Four&, const Four&, const Four& dy) { return -dy; }
};

struct Mul : detail::Broadcasting<Mul> {
  static constexpr const char* name = "mul";
  static Four value(const Four& a, const Four& b) { return a * b; }
  static Four da(const Four&, const Four& b, const Four&, const Four& dy) { return dy * b; }
  static Four db(const Four& a, const Four&, const Four&, const Four& dy) { return dy * a; }
};

struct Div : detail::Broadcasting<Div> {
  static constexpr const char* name = "div";
  static Four value(const Four& a, const Four& b) { return a / b; }
  static Four da(const Four&, const Four& b, const Four&, const Four& dy) { return dy / b; }
  static Four db(const Four&, const Four& b, const Four& y, const Four& dy) { return -(dy / b) * y; }
};

struct Minimum : detail::Broadcasting<Minimum> {
  static constexpr const char* name = "minimum";
  static Four value(const Four& a, const Four& b) { return detail::lesser(a, b); }
  static Four da(const Four& a, const Four& b, const Four&, const Four& dy) { return detail::share_of(b - a, dy); }
  static Four db(const Four& a, const Four& b, const Four&, const Four& dy) { return detail::share_of(a - b, dy); }
};

struct Maximum : detail::Broadcasting<Maximum> {
  static constexpr const char* name = "maximum";
  static Four value(const Four& a, const Four& b) { return detail::greater(a, b); }
  static Four da(const Four& a, const Four& b, const Four&, const Four& dy) { return detail::share_of(a - b, dy); }
  static Four db(const Four& a, const Four& b, const Four&, const Four& dy) { return detail::share_of(b - a, dy); }
};

struct AddScalar : detail::WithNumber<AddScalar> {
  static constexpr const char* name = "add";
  static Four value(const Four& x, Scalar number) { return x + number; }
  static Four dx(const Four&, const Four&, const Four& dy, Scalar) { return dy; }
};

struct SubScalar : detail::WithNumber<SubScalar> {
  static constexpr const char* name = "sub";
  static Four value(const Four& x, Scalar number) { return x - number; }
  static Four dx(const Four&, const Four&, const Four& dy, Scalar) { return dy; }
};

struct ScalarMinus : detail::WithNumber<ScalarMinus> {
  static constexpr const char* name = "sub";
  static Four value(const Four& x, Scalar number) { return number - x; }
  static Four dx(const Four&, const Four&, const Four& dy, Scalar) { return -dy; }
};

struct MulScalar : detail::WithNumber<MulScalar> {
  static constexpr const char* name = "mul";
  static Four value(const Four& x, Scalar number) { return x * number; }
  static Four dx(const Four&, const Four&, const Four& dy, Scalar number) { return dy * number; }
};

struct DivScalar : detail::WithNumber<DivScalar> {
  static constexpr const char* name = "div";
  static Four value(const Four& x, Scalar number) { return x / number; }
  static Four dx(const Four&, const Four&, const Four& dy, Scalar number) { return dy / number; }
};

struct ScalarOver : detail::WithNumber<ScalarOver> {
  static constexpr const char* name = "div";
  static Four value(const Four& x, Scalar number) { return number / x; }
  static Four dx(const Four& x, const Four& y, const Four& dy, Scalar) { return -(dy / x) * y; }
};

}  // namespace ops

/// a + b, element by element. This and what follows throw ShapeError for shapes that do not broadcast
/// (broadcast_axes.hpp says which do).
inline Var add(Var a, Var b) { return apply(ops::Add{}, a, b); }
/// a - b, element by element.
inline Var sub(Var a, Var b) { return apply(ops::Sub{}, a, b); }
/// a * b, element by element: no product of matrices, which is matmul.
inline Var mul(Var a, Var b) { return apply(ops::Mul{}, a, b); }
/// a / b, element by element; as IEEE has it where b is 0.
inline Var div(Var a, Var b) { return apply(ops::Div{}, a, b); }
/// The lesser of each two elements; NaN if one is. Where they are equal, each gets half of the gradient.
inline Var minimum(Var a, Var b) { return apply(ops::Minimum{}, a, b); }
/// The greater of each two elements; NaN if one is. Where they are equal, each gets half of the gradient.
inline Var maximum(Var a, Var b) { return apply(ops::Maximum{}, a, b); }

inline Var operator+(Var a, Var b) { return add(a, b); }
inline Var operator-(Var a, Var b) { return sub(a, b); }
inline Var operator*(Var a, Var b) { return mul(a, b); }
inline Var operator/(Var a, Var b) { return div(a, b); }

namespace detail {
/// The number as a constant on the tape of x.
template <Arithmetic T>
Var constant_on_tape_of(Var x, T number) {
  const auto scalar = static_cast<Scalar>(number);
  return x.tape().constant(ConstTensorView(&scalar, {}));
}
}  // namespace detail

/// With a number in place of the second Var.
template <Arithmetic T>
Var minimum(Var x, T number) {
  return minimum(x, detail::constant_on_tape_of(x, number));
}
template <Arithmetic T>
Var maximum(Var x, T number) {
  return maximum(x, detail::constant_on_tape_of(x, number));
}

template <Arithmetic T>
Var operator+(Var x, T scalar) {
  return apply(ops::AddScalar{{{}, static_cast<Scalar>(scalar)}}, x);
}
template <Arithmetic T>
Var operator+(T scalar, Var x) {
  return x + scalar;
}
template <Arithmetic T>
Var operator-(Var x, T scalar) {
  return apply(ops::SubScalar{{{}, static_cast<Scalar>(scalar)}}, x);
}
template <Arithmetic T>
Var operator-(T scalar, Var x) {
  return apply(ops::ScalarMinus{{{}, static_cast<Scalar>(scalar)}}, x);
}
template <Arithmetic T>
Var operator*(Var x, T scalar) {
  return apply(ops::MulScalar{{{}, static_cast<Scalar>(scalar)}}, x);
}
template <Arithmetic T>
Var operator*(T scalar, Var x) {
  return x * scalar;
}
/// Divides; it does not multiply by a reciprocal.
template <Arithmetic T>
Var operator/(Var x, T scalar) {
  return apply(ops::DivScalar{{{}, static_cast<Scalar>(scalar)}}, x);
}
template <Arithmetic T>
Var operator/(T scalar, Var x) {
  return apply(ops::ScalarOver{{{}, static_cast<Scalar>(scalar)}}, x);
}

/// What stands on the right of a compound assignment.
template <class T>
concept Operand = std::same_as<T, Var> || Arithmetic<T>;

/// `loss += term`: the name stands for the sum from then on. Nothing is changed in place: other Vars that stood for the
/// same value still do, and the shape is that of the sum. So with the others.
template <Operand T>
Var& operator+=(Var& x, T y) {
  return x = x + y;
}
template <Operand T>
Var& operator-=(Var& x, T y) {
  return x = x - y;
}
template <Operand T>
Var& operator*=(Var& x, T y) {
  return x = x * y;
}
template <Operand T>
Var& operator/=(Var& x, T y) {
  return x = x / y;
}

}  // namespace tapegrad::inline TAPEGRAD_ABI
