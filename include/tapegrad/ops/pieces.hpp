#pragma once
// Tensors taken apart and put together: slice, split, concat, gather_rows.

#include <algorithm>
#include <array>
#include <initializer_list>
#include <span>

#include "../autodiff/apply.hpp"
#include "../core/concepts.hpp"
#include "blocks.hpp"

namespace tapegrad::inline TAPEGRAD_ABI {

namespace detail {

/// A piece of a tensor: from `begin` on along an axis, as many as `piece` has. In memory these are `outer` runs, each
/// of `run` elements out of `whole`.
struct Piece {
  Index outer;
  Index run;
  Index whole;
  Index offset;

  Piece(const Shape& from, const Shape& piece, int axis, Index begin) {
    const Cut cut(from, from.checked_axis(axis));
    outer = cut.outer;
    run = piece[axis] * cut.inner;
    whole = cut.length * cut.inner;
    offset = begin * cut.inner;
  }
  void take(const Scalar* tensor, Scalar* piece, bool first) const {
    for_rows(outer, run, [&](Index row) { put(piece + row * run, run, first, Same{}, tensor + row * whole + offset); });
  }
  void give(const Scalar* piece, Scalar* tensor, bool first) const {
    for_rows(outer, run, [&](Index row) { put(tensor + row * whole + offset, run, first, Same{}, piece + row * run); });
  }
};

}  // namespace detail

namespace ops {

struct Slice {
  static constexpr const char* name = "slice";
  int axis;
  Index begin;
  Index end;

  Shape shape(const Shape& x) const {
    const int along = x.checked_axis(axis, name);
    detail::require<ShapeError>(0 <= begin && begin <= end && end <= x[along], name, ": [", begin, ", ", end,
                                ") of axis ", along, " of ", x, "; it must lie within [0, ", x[along],
                                "), and not end before it begins");
    return x.with(along, end - begin);
  }
  void forward(ConstTensorView x, TensorView y) const {
    detail::Piece(x.shape(), y.shape(), axis, begin).take(x.data(), y.data(), true);
  }
  void backward(ConstTensorView x, ConstTensorView y, ConstTensorView dy, Gradient dx) const {
    if (dx) detail::Piece(x.shape(), y.shape(), axis, begin).give(dy.data(), dx.accumulator().data(), false);
  }
};

/// One of several equal slices.
struct Split {
  static constexpr const char* name = "split";
  int axis;
  Index part;
  Index parts;

  Shape shape(const Shape& x) const {
    const int along = x.checked_axis(axis, name);
    detail::require<ShapeError>(x[along] % parts == 0, name, ": axis ", along, " of ", x, " has length ", x[along],
                                "; it must be a multiple of the ", parts, " parts");
    return x.with(along, x[along] / parts);
  }
  void forward(ConstTensorView x, TensorView y) const { piece(x, y).take(x.data(), y.data(), true); }
  void backward(ConstTensorView x, ConstTensorView y, ConstTensorView dy, Gradient dx) const {
    if (dx) piece(x, y).give(dy.data(), dx.accumulator().data(), false);
  }

 private:
  detail::Piece piece(ConstTensorView x, ConstTensorView y) const {
    return {x.shape(), y.shape(), axis, part * y.shape()[axis]};
  }
};

struct Concat {
  static constexpr const char* name = "concat";
  int axis;

  Shape shape(std::span<const Shape> inputs) const {
    const Shape& first = inputs[0];
    const int along = first.checked_axis(axis, name);
    Index length = 0;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      detail::require<ShapeError>(inputs[i].rank() == first.rank() && inputs[i].with(along, first[along]) == first,
                                  name, ": input ", i, " is ", inputs[i], ", input 0 is ", first,
                                  "; all axes but axis ", along, " must be equal");
      length += inputs[i][along];
    }
    return first.with(along, length);
  }
  void forward(std::span<const ConstTensorView> inputs, TensorView y) const {
    for_pieces(inputs, y,
               [&](std::size_t i, const detail::Piece& piece) { piece.give(inputs[i].data(), y.data(), true); });
  }
  void backward(std::span<const ConstTensorView> inputs, ConstTensorView y, ConstTensorView dy,
                std::span<Gradient> gradients) const {
    for_pieces(inputs, y, [&](std::size_t i, const detail::Piece& piece) {
      if (!gradients[i]) return;
      const Gradient::Target target = gradients[i].target();
      piece.take(dy.data(), target.view.data(), target.first);
    });
  }

 private:
  void for_pieces(std::span<const ConstTensorView> inputs, ConstTensorView y,
                  detail::FunctionRef<void(std::size_t, const detail::Piece&)> body) const {
    Index begin = 0;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      body(i, detail::Piece(y.shape(), inputs[i].shape(), axis, begin));
      begin += inputs[i].shape()[axis];
    }
  }
};

struct GatherRows {
  static constexpr const char* name = "gather_rows";
  std::span<const Index> indices;  // in the tape's memory

  Shape shape(const Shape& x) const {
    detail::require<ShapeError>(x.rank() > 0, name, ": the input is a scalar; it needs a first axis to gather from");
    for (std::size_t i = 0; i < indices.size(); ++i)
      detail::require<ValueError>(indices[i] >= 0 && indices[i] < x[0], name, ": index ", indices[i], " at position ",
                                  i, " is outside [0, ", x[0], "), the rows of ", x);
    return x.with(0, static_cast<Index>(indices.size()));
  }
  void forward(ConstTensorView x, TensorView y) const {
    const Index n = detail::Cut(x.shape(), 0).inner;
    detail::for_rows(y.shape()[0], n,
                     [&](Index row) { std::copy_n(x.data() + index(row) * n, n, y.data() + row * n); });
  }
  /// Rows of dy are added to those of dx in their order; threads share the columns.
  void backward(ConstTensorView x, ConstTensorView y, ConstTensorView dy, Gradient dx) const {
    if (!dx) return;
    const Index n = detail::Cut(x.shape(), 0).inner, rows = y.shape()[0];
    const TensorView sums = dx.accumulator();
    parallel_for(n, std::max<Index>(16, detail::chunk_size / std::max<Index>(1, rows)), [&](Index begin, Index end) {
      for (Index row = 0; row < rows; ++row)
        detail::put(sums.data() + index(row) * n + begin, end - begin, false, detail::Same{},
                    dy.data() + row * n + begin);
    });
  }

 private:
  Index index(Index row) const { return indices[static_cast<std::size_t>(row)]; }
};

}  // namespace ops

/// Elements begin .. end - 1 along an axis (negative axes count from the last). Throws ShapeError beyond its ends,
/// and for begin > end.
inline Var slice(Var x, int axis, Index begin, Index end) { return apply(ops::Slice{axis, begin, end}, x); }

/// Equal parts along an axis: `auto [mu, log_var] = split<2>(x);`. Throws ShapeError unless its length is a multiple
/// of `parts`.
template <std::size_t parts>
std::array<Var, parts> split(Var x, int axis = -1) {
  static_assert(parts > 0, "tapegrad: split<N> gives N parts; N is at least 1");
  std::array<Var, parts> result;
  for (std::size_t i = 0; i < parts; ++i)
    result[i] = apply(ops::Split{axis, static_cast<Index>(i), static_cast<Index>(parts)}, x);
  return result;
}

/// Several tensors one after another along an axis. Throws ShapeError unless all their other axes are equal, and
/// ValueError for none.
inline Var concat(std::span<const Var> inputs, int axis) { return apply_span(ops::Concat{axis}, inputs); }
inline Var concat(std::initializer_list<Var> inputs, int axis) {
  return concat(std::span<const Var>(inputs.begin(), inputs.size()), axis);
}

/// Row i of the result is row indices[i] of x, a row being what one index of the first axis leaves. The indices are
/// copied. Throws ShapeError for a scalar, ValueError for an index that is no row of x.
template <IntegerRange Indices>
Var gather_rows(Var x, const Indices& indices) {
  return apply(ops::GatherRows{x.tape().keep<Index>(indices)}, x);
}

}  // namespace tapegrad::inline TAPEGRAD_ABI
