#pragma once
// What all losses and densities have in common: terms computed element by element, then summed, averaged or left alone.

#include <array>
#include <concepts>
#include <span>

#include "../autodiff/apply.hpp"
#include "../core/simd/simd.hpp"
#include "blocks.hpp"

namespace tapegrad::inline TAPEGRAD_ABI {

/// What becomes of a loss's terms: their sum (0 of none), their mean (of none that is a ShapeError), or a tensor of
/// them.
enum class Reduction { sum, mean, none };

namespace detail {

/// Throws ValueError, naming the first, if one of the elements begin .. end - 1 is outside [0, 1] or NaN.
inline void check_unit_interval(const char* op, const char* what, ConstTensorView x, Index begin, Index end,
                                const char* advice) {
  if (simd::in_unit_interval(x.data() + begin, end - begin)) return;
  Index i = begin;
  while (x.data()[i] >= 0 && x.data()[i] <= 1) ++i;
  throw ValueError(
      concat(op, ": ", what, " ", x.data()[i], " at ", position(x.shape(), i), " is outside [0, 1]; ", advice));
}
inline void check_targets(const char* op, const char* what, ConstTensorView x, Index begin, Index end) {
  check_unit_interval(op, what, x, begin, end, "scale images to [0, 1] (Normalize(0.5, 0.5) makes them [-1, 1])");
}

/// The result's shape for terms of shape `terms`. Throws ShapeError for the mean of nothing.
inline Shape reduced_shape(const char* name, const Shape& terms, Reduction reduction) {
  require<ShapeError>(reduction != Reduction::mean || !terms.empty(), name, ": the inputs are ", terms,
                      "; there is no mean of nothing (Reduction::sum gives 0)");
  return reduction == Reduction::none ? terms : Shape{};
}
/// What a sum of `terms` terms is multiplied by.
inline double reduced_scale(Reduction reduction, Index terms) {
  return reduction == Reduction::mean ? 1 / static_cast<double>(terms) : 1;
}

/// Computes terms begin .. begin + n - 1 (or the derivatives of those) into `out`.
using Terms = FunctionRef<void(Index begin, Index n, Scalar* out)>;
/// The sum of terms begin .. end - 1.
using TermSum = FunctionRef<double(Index begin, Index end)>;

inline double sum_terms(Index begin, Index end, Terms terms) {
  double total = 0;
  Block block;
  for_blocks(begin, end, [&](Index at, Index n) {
    terms(at, n, block.data);
    total += simd::sum(block.data, n);
  });
  return total;
}

/// y = the terms, their sum or their mean.
inline void reduce_terms(Index size, Reduction reduction, Terms terms, TermSum sum, TensorView y) {
  if (reduction == Reduction::none) {
    parallel_for(size, chunk_size, [&](Index begin, Index end) {
      for_blocks(begin, end, [&](Index at, Index n) { terms(at, n, y.data() + at); });
    });
    return;
  }
  const double total = parallel_sum(size, chunk_size, sum);
  y.data()[0] = static_cast<Scalar>(total * reduced_scale(reduction, size));
}

/// Adds the terms' derivatives by one input, times that of the result, to its gradient.
inline void contribute_terms(Gradient gradient, ConstTensorView dy, Reduction reduction, Terms slopes) {
  const Gradient::Target to = gradient.target();
  const Index size = to.view.size();
  const auto scale = static_cast<Scalar>(reduced_scale(reduction, size));
  parallel_for(size, chunk_size, [&](Index begin, Index end) {
    Block block;
    for_blocks(begin, end, [&](Index at, Index n) {
      slopes(at, n, block.data);
      Scalar* const target = to.view.data() + at;
      if (reduction == Reduction::none) {
        put(
            target, n, to.first, [](const Four& s, const Four& g) { return s * g; }, block.data, dy.data() + at);
      } else {
        put(
            target, n, to.first, [g = scale * dy.data()[0]](const Four& s) { return s * g; }, block.data);
      }
    });
  });
}

/// Where some terms find their inputs.
template <std::size_t inputs>
using InputsAt = std::array<const Scalar*, inputs>;

}  // namespace detail

namespace ops {

/// A loss out of the formula of one term. `Term` has a name, the names of its inputs, and
///   value(in, out, n): out = n terms, for a block of each input
///   slope(i, in, out, n): out = the derivatives of the terms by input i
/// and may have
///   check(inputs, begin, end), of the span of whole inputs: throws what forward is to throw for those terms
///   sum(in, n): the sum of n terms, a double, where that takes less than to compute each
template <class Term>
struct Loss {
  static constexpr const char* name = Term::name;
  Term term;
  Reduction reduction;

  Shape shape(std::span<const Shape> inputs) const {
    for (std::size_t i = 1; i < arity; ++i)
      detail::require<ShapeError>(inputs[i] == inputs[0], name, ": ", Term::inputs[0], " is ", inputs[0], ", ",
                                  Term::inputs[i], " is ", inputs[i], "; the shapes must be equal",
                                  inputs[i].size() == inputs[0].size() ? " (reshape gives a tensor another)"
                                  : inputs[i].size() == 0 ? " (a batch has no targets where its data set has labels)"
                                                          : "");
    return detail::reduced_shape(name, inputs[0], reduction);
  }
  void forward(std::span<const ConstTensorView> inputs, TensorView y) const {
    const auto check = [&]([[maybe_unused]] Index begin, [[maybe_unused]] Index end) {
      if constexpr (requires { &Term::check; }) term.check(inputs, begin, end);
    };
    const auto terms = [&](Index begin, Index n, Scalar* out) {
      check(begin, begin + n);
      term.value(inputs_at(inputs, begin), out, n);
    };
    const auto sum = [&](Index begin, Index end) {
      if constexpr (requires { &Term::sum; }) {
        check(begin, end);
        return term.sum(inputs_at(inputs, begin), end - begin);
      } else {
        return detail::sum_terms(begin, end, terms);
      }
    };
    detail::reduce_terms(inputs[0].size(), reduction, terms, sum, y);
  }
  void backward(std::span<const ConstTensorView> inputs, ConstTensorView, ConstTensorView dy,
                std::span<Gradient> gradients) const {
    for (std::size_t i = 0; i < arity; ++i) {
      if (!gradients[i]) continue;
      detail::contribute_terms(gradients[i], dy, reduction, [&](Index begin, Index n, Scalar* out) {
        term.slope(i, inputs_at(inputs, begin), out, n);
      });
    }
  }

 private:
  static constexpr std::size_t arity = Term::inputs.size();

  static detail::InputsAt<arity> inputs_at(std::span<const ConstTensorView> inputs, Index begin) {
    detail::InputsAt<arity> result;
    for (std::size_t i = 0; i < arity; ++i) result[i] = inputs[i].data() + begin;
    return result;
  }
};

}  // namespace ops

namespace detail {

template <class Term, std::same_as<Var>... Vars>
Var loss(const Term& term, Reduction reduction, Vars... vars) {
  return apply_span(ops::Loss<Term>{term, reduction}, std::array{vars...});
}

}  // namespace detail

}  // namespace tapegrad::inline TAPEGRAD_ABI
