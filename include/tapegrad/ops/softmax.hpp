#pragma once
// logsumexp, softmax and log_softmax, over everything or one axis. Each row's maximum is taken out before exp, so that
// nothing overflows.

#include <cmath>
#include <limits>

#include "reduce.hpp"

namespace tapegrad::inline TAPEGRAD_ABI {

namespace detail {

/// log(sum(exp(x - shift))), in double; -inf for no elements.
inline double log_sum_exp(const Scalar* x, Index n, Scalar shift) {
  double total = 0;
  Block block;
  for_blocks(0, n, [&](Index begin, Index count) {
    each(
        block.data, count, [=](const Four& a) { return a - shift; }, x + begin);
    simd::exp(block.data, block.data, count);
    total += simd::sum(block.data, count);
  });
  return std::log(total);
}

/// A row's logsumexp, as its maximum and what comes on top: the sum of both has no room for the digits of the latter.
struct LogSumExpOfRow {
  double max;
  double rest;
};

/// Writes a row's softmax to y, and returns its logsumexp.
inline LogSumExpOfRow softmax_row(const Scalar* x, Scalar* y, Index n) {
  const Scalar shift = simd::max(x, n);
  each(
      y, n, [=](const Four& a) { return a - shift; }, x);
  simd::exp(y, y, n);
  const double total = simd::sum(y, n);
  each(
      y, n, [divisor = static_cast<Scalar>(total)](const Four& a) { return a / divisor; }, y);
  return {static_cast<double>(shift), std::log(total)};
}

}  // namespace detail

namespace ops {

/// log(sum(exp(x))) of each row.
struct LogSumExp {
  static constexpr const char* name = "logsumexp";
  bool keepdim = false;

  Shape shape(const Shape& x) const { return keepdim ? x.with(-1, 1) : x.without(-1); }
  /// Each row's result without its maximum, which has the digits that the sum of both has no room for.
  Shape saved(const Shape& x) const { return {x.rows()}; }

  void forward(ConstTensorView x, TensorView y, TensorView log_totals) const {
    const Index n = x.shape().cols();
    detail::for_rows(y.size(), n, [&](Index row) {
      const Scalar* const from = x.data() + row * n;
      const Scalar shift = finite_max(from, n);
      const double log_total = detail::log_sum_exp(from, n, shift);
      log_totals.data()[row] = static_cast<Scalar>(log_total);
      y.data()[row] = static_cast<Scalar>(static_cast<double>(shift) + log_total);
    });
  }
  /// dx = dy * exp(x - y); zeros where a whole row is -inf.
  void backward(ConstTensorView x, ConstTensorView y, ConstTensorView log_totals, ConstTensorView dy,
                Gradient dx) const {
    if (!dx) return;
    const Index n = x.shape().cols();
    const Gradient::Target target = dx.target();
    detail::for_rows(y.size(), n, [&](Index row) {
      const Scalar shift = finite_max(x.data() + row * n, n), log_total = log_totals.data()[row];
      const Scalar rest = log_total == -infinity ? Scalar{0} : log_total;
      detail::Block block;
      detail::for_blocks(row * n, (row + 1) * n, [&](Index begin, Index count) {
        detail::each(
            block.data, count, [=](const Four& a) { return (a - shift) - rest; }, x.data() + begin);
        simd::exp(block.data, block.data, count);
        detail::put(
            target.view.data() + begin, count, target.first,
            [slope = dy.data()[row]](const Four& e) { return slope * e; }, block.data);
      });
    });
  }

 private:
  static constexpr Scalar infinity = std::numeric_limits<Scalar>::infinity();

  /// A row's maximum, but 0 for an infinite one: inf - inf is NaN.
  static Scalar finite_max(const Scalar* x, Index n) {
    const Scalar largest = simd::max(x, n);
    return std::isinf(largest) ? Scalar{0} : largest;
  }
};

/// exp(x) of each row, divided by its sum.
struct Softmax {
  static constexpr const char* name = "softmax";
  Shape shape(const Shape& x) const { return x; }
  void forward(ConstTensorView x, TensorView y) const {
    const Index n = x.shape().cols();
    detail::for_rows(x.shape().rows(), n,
                     [&](Index row) { detail::softmax_row(x.data() + row * n, y.data() + row * n, n); });
  }
  /// dx = y * (dy - sum(y * dy)).
  void backward(ConstTensorView, ConstTensorView y, ConstTensorView dy, Gradient dx) const {
    if (!dx) return;
    const Index n = y.shape().cols();
    const Gradient::Target target = dx.target();
    detail::for_rows(y.shape().rows(), n, [&](Index row) {
      const Scalar *const result = y.data() + row * n, *const slope = dy.data() + row * n;
      const auto mean = static_cast<Scalar>(simd::dot(result, slope, n));
      detail::put(
          target.view.data() + row * n, n, target.first, [=](const Four& p, const Four& g) { return p * (g - mean); },
          result, slope);
    });
  }
};

/// log(softmax(x)) of each row.
struct LogSoftmax {
  static constexpr const char* name = "log_softmax";
  Shape shape(const Shape& x) const { return x; }
  void forward(ConstTensorView x, TensorView y) const {
    const Index n = x.shape().cols();
    detail::for_rows(x.shape().rows(), n, [&](Index row) {
      // Not x - logsumexp(x), which loses the digits that a large maximum has no room for.
      const Scalar* const from = x.data() + row * n;
      const Scalar shift = simd::max(from, n);
      const auto log_total = static_cast<Scalar>(detail::log_sum_exp(from, n, shift));
      detail::each(
          y.data() + row * n, n, [=](const Four& a) { return (a - shift) - log_total; }, from);
    });
  }
  /// dx = dy - exp(y) * sum(dy).
  void backward(ConstTensorView, ConstTensorView y, ConstTensorView dy, Gradient dx) const {
    if (!dx) return;
    const Index n = y.shape().cols();
    const Gradient::Target target = dx.target();
    detail::for_rows(y.shape().rows(), n, [&](Index row) {
      const auto total = static_cast<Scalar>(simd::sum(dy.data() + row * n, n));
      detail::Block block;
      detail::for_blocks(row * n, (row + 1) * n, [&](Index begin, Index count) {
        simd::exp(y.data() + begin, block.data, count);
        detail::put(
            target.view.data() + begin, count, target.first,
            [=](const Four& g, const Four& p) { return g - total * p; }, dy.data() + begin, block.data);
      });
    });
  }
};

}  // namespace ops

/// log(sum(exp(x))) over all elements: a scalar. It is -inf, with a gradient of zeros, where all are -inf or there are
/// none.
inline Var logsumexp(Var x) { return apply(ops::LogSumExp{}, reshape(x, {-1})); }
/// The same over one axis (negative ones count from the last), which goes away unless `{.keepdim = true}`. Throws
/// ShapeError beyond the rank.
inline Var logsumexp(Var x, int axis, ReduceOptions options = {}) {
  return detail::reduce_axis<ops::LogSumExp>(x, axis, options);
}
template <NoAxis T>
Var logsumexp(Var, T, ReduceOptions = {}) = delete;

/// exp(x) / sum(exp(x)) over one axis. A row that is all -inf gives NaN, as in PyTorch: it is no distribution. Throws
/// ShapeError beyond the rank.
inline Var softmax(Var x, int axis) { return detail::along_axis(ops::Softmax{}, x, axis); }
template <NoAxis T>
Var softmax(Var, T) = delete;
/// The same over all elements at once.
inline Var softmax(Var x) { return reshape(apply(ops::Softmax{}, reshape(x, {-1})), x.shape()); }

/// log(softmax(x)) over one axis, in the form that does not underflow. See softmax.
inline Var log_softmax(Var x, int axis) { return detail::along_axis(ops::LogSoftmax{}, x, axis); }
template <NoAxis T>
Var log_softmax(Var, T) = delete;
/// The same over all elements at once.
inline Var log_softmax(Var x) { return reshape(apply(ops::LogSoftmax{}, reshape(x, {-1})), x.shape()); }

}  // namespace tapegrad::inline TAPEGRAD_ABI
