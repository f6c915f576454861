#pragma once
// sum, mean and max, over everything or one axis. Sums are kept in double, in an order that depends on the shape alone.

#include <algorithm>
#include <cmath>
#include <concepts>
#include <optional>

#include "../core/simd/simd.hpp"
#include "shape.hpp"

namespace tapegrad::inline TAPEGRAD_ABI {

/// What is no axis, though C++ would convert it to one: the 0 of max(x, 0.0), a keepdim of true.
template <class T>
concept NoAxis = std::floating_point<T> || std::same_as<T, bool>;

/// How a reduction leaves the axis that it was over.
struct ReduceOptions {
  bool keepdim = false;  ///< keep it, with length 1, so that the result broadcasts against the input
};

namespace ops {

/// The sum, or the mean, over one axis or over everything.
template <bool average>
struct Sum {
  static constexpr const char* name = average ? "mean" : "sum";
  std::optional<int> axis = std::nullopt;
  bool keepdim = false;

  Shape shape(const Shape& x) const {
    if (!axis) {
      detail::require<ShapeError>(!average || !x.empty(), name, ": the input is ", x, "; there is no mean of nothing");
      return {};
    }
    const int along = x.checked_axis(*axis, name);
    detail::require<ShapeError>(!average || x[along] > 0, name, ": axis ", along, " of ", x,
                                " is empty; there is no mean of nothing");
    return keepdim ? x.with(along, 1) : x.without(along);
  }

  void forward(ConstTensorView x, TensorView y) const {
    const auto result = [n = count(x.shape())](double total) { return static_cast<Scalar>(total / n); };
    if (!axis) {
      y.data()[0] = result(parallel_sum(x.size(), detail::chunk_size, [&](Index begin, Index end) {
        return simd::sum(x.data() + begin, end - begin);
      }));
      return;
    }
    const detail::Cut cut(x.shape(), x.shape().checked_axis(*axis));
    if (cut.inner == 1) {
      detail::for_rows(cut.outer, cut.length,
                       [&](Index row) { y.data()[row] = result(simd::sum(x.data() + row * cut.length, cut.length)); });
      return;
    }
    // Threads share the columns, some cache lines of them at a time, so that each is summed in order.
    constexpr Index width = 64;
    const Index strips = (cut.inner + width - 1) / width;
    detail::for_rows(cut.outer * strips, cut.length * width, [&](Index strip) {
      const Index outer = strip / strips, begin = strip % strips * width, n = std::min(width, cut.inner - begin);
      const Scalar* const from = x.data() + outer * cut.length * cut.inner + begin;
      Scalar* const to = y.data() + outer * cut.inner + begin;
      simd::column_sums(from, cut.length, n, cut.inner, to, false, count(x.shape()));
    });
  }

  void backward(ConstTensorView x, ConstTensorView, ConstTensorView dy, Gradient dx) const {
    if (!dx) return;
    const auto scale = static_cast<Scalar>(1 / count(x.shape()));
    if (!axis) {
      const Scalar slope = scale * dy.data()[0];
      detail::contribute(dx, [=] { return Four::all(slope); });
      return;
    }
    const detail::Cut cut(x.shape(), x.shape().checked_axis(*axis));
    const Gradient::Target target = dx.target();
    if (cut.inner == 1) {
      detail::for_rows(cut.outer, cut.length, [&](Index row) {
        const Scalar slope = scale * dy.data()[row];
        detail::put(target.view.data() + row * cut.length, cut.length, target.first, [=] { return Four::all(slope); });
      });
    } else {
      detail::for_rows(cut.outer * cut.length, cut.inner, [&](Index row) {
        detail::put(
            target.view.data() + row * cut.inner, cut.inner, target.first, [=](const Four& g) { return scale * g; },
            dy.data() + row / cut.length * cut.inner);
      });
    }
  }

 private:
  /// What the sum is divided by.
  double count(const Shape& x) const {
    if (!average) return 1;
    return static_cast<double>(axis ? x[*axis] : x.size());
  }
};

/// The largest element of each row, or of all.
struct Max {
  static constexpr const char* name = "max";
  bool keepdim = false;
  bool of_all = false;

  Shape shape(const Shape& x) const {
    detail::require<ShapeError>(count(x) > 0, name, ": the input is ", x, of_all ? "" : " (the axis to reduce last)",
                                "; there is no maximum of nothing");
    if (of_all) return {};
    return keepdim ? x.with(-1, 1) : x.without(-1);
  }
  void forward(ConstTensorView x, TensorView y) const {
    const Index n = count(x.shape());
    detail::for_rows(y.size(), n, [&](Index row) { y.data()[row] = simd::max(x.data() + row * n, n); });
  }
  void backward(ConstTensorView x, ConstTensorView y, ConstTensorView dy, Gradient dx) const {
    if (!dx) return;
    const Index n = count(x.shape());
    const TensorView sums = dx.accumulator();
    detail::for_rows(y.size(), n, [&](Index row) {
      const Scalar* const begin = x.data() + row * n;
      const auto largest = [max = y.data()[row]](Scalar value) { return value == max || std::isnan(value); };
      // One of them is the largest: the last, if no other.
      sums.data()[std::find_if(begin, begin + n - 1, largest) - x.data()] += dy.data()[row];
    });
  }

 private:
  /// How many elements one result is the largest of.
  Index count(const Shape& x) const { return of_all ? x.size() : x.cols(); }
};

}  // namespace ops

namespace detail {

inline bool is_last_axis(Var x, int axis) {
  const int rank = x.shape().rank();
  return rank > 0 && (axis == -1 || axis == rank - 1);
}
/// An op that works along the last axis, for any axis: another one is swapped with the last, and back.
template <class RowsOp>
Var along_axis(const RowsOp& op, Var x, int axis) {
  if (is_last_axis(x, axis)) return apply(op, x);
  x.shape().checked_axis(axis, RowsOp::name);
  return transpose(apply(op, transpose(x, axis, -1)), axis, -1);
}
/// The same for RowsOp{keepdim}, which reduces that axis.
template <class RowsOp>
Var reduce_axis(Var x, int axis, ReduceOptions options) {
  if (is_last_axis(x, axis)) return apply(RowsOp{options.keepdim}, x);
  const Var kept = along_axis(RowsOp{true}, x, axis);
  return options.keepdim ? kept : reshape(kept, kept.shape().without(axis));
}

}  // namespace detail

/// The sum of all elements: a scalar, 0 for no elements.
inline Var sum(Var x) { return apply(ops::Sum<false>{}, x); }
/// The sums over one axis (negative ones count from the last), which goes away unless `{.keepdim = true}`. Throws
/// ShapeError beyond the rank.
inline Var sum(Var x, int axis, ReduceOptions options = {}) { return apply(ops::Sum<false>{axis, options.keepdim}, x); }
template <NoAxis T>
Var sum(Var, T, ReduceOptions = {}) = delete;

/// The mean of all elements: a scalar. Throws ShapeError if there are none.
inline Var mean(Var x) { return apply(ops::Sum<true>{}, x); }
/// The means over one axis; see sum. Throws ShapeError for an empty axis.
inline Var mean(Var x, int axis, ReduceOptions options = {}) { return apply(ops::Sum<true>{axis, options.keepdim}, x); }
template <NoAxis T>
Var mean(Var, T, ReduceOptions = {}) = delete;

/// The largest of all elements: a scalar; NaN if one is. Where several are equal, the gradient goes to the first.
/// Throws ShapeError if there are none.
inline Var max(Var x) { return apply(ops::Max{.of_all = true}, x); }
/// The largest elements along one axis; see sum. Throws ShapeError for an empty axis.
inline Var max(Var x, int axis, ReduceOptions options = {}) { return detail::reduce_axis<ops::Max>(x, axis, options); }
/// Not the greater of each element and a number: that is `maximum` or `clamp_min`.
template <NoAxis T>
Var max(Var, T, ReduceOptions = {}) = delete;

}  // namespace tapegrad::inline TAPEGRAD_ABI
