#pragma once
// The same elements under another shape: reshape, transpose, broadcast_to. What takes elements apart or puts them
// together is in pieces.hpp.

#include <algorithm>
#include <array>
#include <initializer_list>
#include <span>

#include "broadcast.hpp"

namespace tapegrad::inline TAPEGRAD_ABI {

namespace ops {

struct Reshape {
  static constexpr const char* name = "reshape";
  std::array<Index, Shape::max_rank> lengths{};
  int rank = 0;

  explicit Reshape(std::span<const Index> wanted) : rank(static_cast<int>(wanted.size())) {
    detail::require<ShapeError>(rank <= Shape::max_rank, name, ": ", rank, " axes; at most ", Shape::max_rank,
                                " are supported");
    std::copy(wanted.begin(), wanted.end(), lengths.begin());
  }
  Shape shape(const Shape& x) const {
    std::array<Index, Shape::max_rank> found = lengths;
    int free = -1;  // the axis to be found
    for (int axis = 0; axis < rank; ++axis) {
      Index& length = found[static_cast<std::size_t>(axis)];
      detail::require<ShapeError>(length >= 0 || (length == -1 && free < 0), name, ": axis ", axis, " has length ",
                                  length, "; lengths are not negative, but for one -1 that is found from the others");
      if (length == -1) {
        free = axis;
        length = 1;
      }
    }
    Shape result(std::span<const Index>(found.data(), static_cast<std::size_t>(rank)));
    if (free >= 0) {
      detail::require<ShapeError>(!result.empty() && x.size() % result.size() == 0, name, ": ", x, " has ", x.size(),
                                  " elements, the axes beside the -1 hold ", result.size(), "; they must divide it");
      result = result.with(free, x.size() / result.size());
    }
    detail::require<ShapeError>(result.size() == x.size(), name, ": ", x, " has ", x.size(), " elements, ", result,
                                " has ", result.size(), "; the numbers must be equal");
    return result;
  }
  void forward(ConstTensorView x, TensorView y) const { y.copy_from(x.reshaped(y.shape())); }
  void backward(ConstTensorView, ConstTensorView, ConstTensorView dy, Gradient dx) const {
    detail::contribute(dx, detail::Same{}, dy);
  }
};

/// Swaps two axes.
struct Transpose {
  static constexpr const char* name = "transpose";
  int a = 0;
  int b = 1;

  Shape shape(const Shape& x) const {
    const int first = x.checked_axis(a, name), second = x.checked_axis(b, name);
    return x.swapped(first, second);
  }
  void forward(ConstTensorView x, TensorView y) const { swap_axes(x, y, true); }
  void backward(ConstTensorView, ConstTensorView, ConstTensorView dy, Gradient dx) const {
    if (!dx) return;
    const auto [view, first] = dx.target();
    swap_axes(dy, view, first);
  }

 private:
  /// to(o, j, m, i, :) = or += from(o, i, m, j, :), where i and j are the two axes and the others are folded.
  void swap_axes(ConstTensorView from, TensorView to, bool first) const {
    const Shape& shape = from.shape();
    const int left = std::min(shape.checked_axis(a), shape.checked_axis(b));
    const int right = std::max(shape.checked_axis(a), shape.checked_axis(b));
    if (left == right) return detail::put(to, first, detail::Same{}, from);
    if (from.empty()) return;
    const detail::Cut outside(shape, left), inside(shape, right);
    const Index lefts = outside.length, rights = inside.length, inner = inside.inner;
    const Index middle = outside.inner / std::max<Index>(1, rights * inner);
    detail::for_rows(outside.outer * rights * middle, lefts * inner, [&](Index row) {
      const Index m = row % middle, j = row / middle % rights, o = row / middle / rights;
      const Scalar* source = from.data() + ((o * lefts * middle + m) * rights + j) * inner;
      Scalar* target = to.data() + row * lefts * inner;
      const Index step = middle * rights * inner;
      if (inner == 1) {
        for (Index i = 0; i < lefts; ++i) target[i] = first ? source[i * step] : target[i] + source[i * step];
      } else {
        for (Index i = 0; i < lefts; ++i)
          detail::put(target + i * inner, inner, first, detail::Same{}, source + i * step);
      }
    });
  }
};

/// transpose() of a matrix.
struct TransposeMatrix : Transpose {
  Shape shape(const Shape& x) const {
    detail::require<ShapeError>(x.rank() == 2, name, ": the input is ", x,
                                "; without axes it must be a matrix, with two axes");
    return Transpose::shape(x);
  }
};

struct BroadcastTo {
  static constexpr const char* name = "broadcast_to";
  Shape wanted;

  Shape shape(const Shape& x) const {
    bool fits = x.rank() <= wanted.rank();
    for (int axis = -1; fits && axis >= -x.rank(); --axis) fits = x[axis] == 1 || x[axis] == wanted[axis];
    detail::require<ShapeError>(fits, name, ": ", x, " does not broadcast to ", wanted,
                                "; the input's axes, from the last, must be 1 or equal to those");
    return wanted;
  }
  void forward(ConstTensorView x, TensorView y) const { First{}.forward(x, y, y); }
  void backward(ConstTensorView x, ConstTensorView y, ConstTensorView dy, Gradient dx) const {
    First{}.backward(x, y, y, dy, dx, Gradient());
  }

 private:
  /// The first of two inputs, the second of which lends its shape alone.
  struct First : detail::Broadcasting<First> {
    static constexpr const char* name = BroadcastTo::name;
    static Four value(const Four& a, const Four&) { return a; }
    static Four da(const Four&, const Four&, const Four&, const Four& dy) { return dy; }
    static Four db(const Four&, const Four&, const Four&, const Four& dy) { return dy; }
  };
};

}  // namespace ops

/// The elements in the same order under another shape. One length may be -1, to be found from the others. Throws
/// ShapeError unless the numbers of elements are equal.
inline Var reshape(Var x, std::initializer_list<Index> lengths) {
  return apply(ops::Reshape(std::span<const Index>(lengths.begin(), lengths.size())), x);
}
inline Var reshape(Var x, const Shape& shape) {
  return apply(ops::Reshape(std::span<const Index>(shape.begin(), shape.end())), x);
}

/// The transpose of a matrix. Throws ShapeError unless there are two axes.
inline Var transpose(Var x) { return apply(ops::TransposeMatrix{}, x); }
/// Swaps two axes; negative ones count from the last. Throws ShapeError beyond the rank.
inline Var transpose(Var x, int a, int b) { return apply(ops::Transpose{a, b}, x); }

/// The same elements, repeated along axes of length 1 or missing ones, as NumPy does. Throws ShapeError unless the
/// shapes fit.
inline Var broadcast_to(Var x, const Shape& shape) { return apply(ops::BroadcastTo{shape}, x); }

}  // namespace tapegrad::inline TAPEGRAD_ABI
