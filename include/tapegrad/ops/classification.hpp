#pragma once
// Losses of class labels: cross_entropy of logits, nll of log-probabilities.

#include <algorithm>
#include <span>

#include "pieces.hpp"
#include "reduction.hpp"
#include "softmax.hpp"

namespace tapegrad::inline TAPEGRAD_ABI {

namespace detail {

/// One label for each row of a matrix whose columns are the classes.
struct Labels {
  std::span<const Index> labels;  // in the tape's memory
  Reduction reduction;

  /// The shape of a loss of `x`; throws unless the labels are right for it.
  Shape checked(const char* op, const char* what, const Shape& x) const {
    require<ShapeError>(x.rank() == 2 && x[0] == count(), op, ": ", what, " are ", x, ", there are ", count(),
                        " labels; ", what, " must be (n, classes), with a label for each of the n rows",
                        labels.empty() ? " (a batch has none where its data set has targets)" : "");
    for (std::size_t row = 0; row < labels.size(); ++row)
      require<ValueError>(labels[row] >= 0 && labels[row] < x[1], op, ": label ", labels[row], " at position ", row,
                          " is outside [0, ", x[1], "), the classes");
    reduced_shape(op, x, reduction);  // refuses the mean of nothing
    return reduction == Reduction::none ? Shape{count()} : Shape{};
  }
  Index count() const { return static_cast<Index>(labels.size()); }
  Index operator[](Index row) const { return labels[static_cast<std::size_t>(row)]; }

  /// y = the rows' terms, each computed of so many numbers, or their sum or mean.
  void reduce(Index numbers, TensorView y, FunctionRef<double(Index row)> term) const {
    if (reduction == Reduction::none) {
      for_rows(count(), numbers, [&](Index row) { y.data()[row] = static_cast<Scalar>(term(row)); });
      return;
    }
    const Index grain = std::max<Index>(1, chunk_size / std::max<Index>(1, numbers));
    const double total = parallel_sum(count(), grain, [&](Index begin, Index end) {
      double part = 0;
      for (Index row = begin; row < end; ++row) part += term(row);
      return part;
    });
    y.data()[0] = static_cast<Scalar>(total * reduced_scale(reduction, count()));
  }
  /// The derivative of the result by a row's term, times dy.
  Scalar slope(ConstTensorView dy, Index row) const {
    if (reduction == Reduction::none) return dy.data()[row];
    return dy.data()[0] * static_cast<Scalar>(reduced_scale(reduction, count()));
  }
};

}  // namespace detail

namespace ops {

/// Keeps the softmax for backward.
struct CrossEntropy {
  static constexpr const char* name = "cross_entropy";
  detail::Labels labels;

  Shape shape(const Shape& x) const { return labels.checked(name, "logits", x); }
  Shape saved(const Shape& x) const { return x; }
  void forward(ConstTensorView x, TensorView y, TensorView softmax) const {
    const Index n = x.shape().cols();
    labels.reduce(n, y, [&](Index row) {
      const auto [max, rest] = detail::softmax_row(x.data() + row * n, softmax.data() + row * n, n);
      return (max - static_cast<double>(x.data()[row * n + labels[row]])) + rest;
    });
  }
  void backward(ConstTensorView x, ConstTensorView, ConstTensorView softmax, ConstTensorView dy, Gradient dx) const {
    if (!dx) return;
    const Index n = x.shape().cols();
    const Gradient::Target target = dx.target();
    detail::for_rows(labels.count(), n, [&](Index row) {
      const Scalar slope = labels.slope(dy, row);
      detail::put(
          target.view.data() + row * n, n, target.first, [=](const Four& p) { return slope * p; },
          softmax.data() + row * n);
      target.view.data()[row * n + labels[row]] -= slope;
    });
  }
};

struct Nll {
  static constexpr const char* name = "nll";
  detail::Labels labels;

  Shape shape(const Shape& x) const { return labels.checked(name, "log-probabilities", x); }
  void forward(ConstTensorView x, TensorView y) const {
    const Index n = x.shape().cols();
    labels.reduce(1, y, [&](Index row) { return -static_cast<double>(x.data()[row * n + labels[row]]); });
  }
  void backward(ConstTensorView x, ConstTensorView, ConstTensorView dy, Gradient dx) const {
    if (!dx) return;
    const Index n = x.shape().cols();
    const TensorView sums = dx.accumulator();
    for (Index row = 0; row < labels.count(); ++row) sums.data()[row * n + labels[row]] -= labels.slope(dy, row);
  }
};

}  // namespace ops

/// -log softmax(logits)[label] of each row of logits (n, classes), in nats. Mean over the rows by default, as in
/// PyTorch; Reduction::none gives n terms. Labels are copied. Throws ShapeError unless there are n of them, ValueError
/// for one that is no class.
template <IntegerRange LabelRange>
Var cross_entropy(Var logits, const LabelRange& labels, Reduction reduction = Reduction::mean) {
  return apply(ops::CrossEntropy{{logits.tape().keep<Index>(labels), reduction}}, logits);
}

/// -log_probs[label] of each row of log_probs (n, classes), as log_softmax gives them: cross_entropy in two steps. Mean
/// over the rows by default, as in PyTorch. Errors as for cross_entropy.
template <IntegerRange LabelRange>
Var nll(Var log_probs, const LabelRange& labels, Reduction reduction = Reduction::mean) {
  return apply(ops::Nll{{log_probs.tape().keep<Index>(labels), reduction}}, log_probs);
}

}  // namespace tapegrad::inline TAPEGRAD_ABI
