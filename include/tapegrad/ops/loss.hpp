#pragma once
// What all losses and densities have in common: terms computed element by element, then summed, averaged or left alone.

#include <array>

#include "../autodiff/apply.hpp"
#include "../core/simd/simd.hpp"
#include "blocks.hpp"

namespace tapegrad::inline TAPEGRAD_ABI {

/// What becomes of a loss's terms: their sum, their mean, or a tensor of them.
enum class Reduction { sum, mean, none };

namespace detail {

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

}  // namespace detail

namespace ops {

/// A loss out of the formula of one term. `Term` has a name, the names of its inputs, and
///   value(in, out): out = the terms, for a block of each input
///   slope(i, in, out): out = the derivative of the terms by input i
/// and may have check(inputs...), which throws what forward is to throw.
template <class Term>
struct Loss {
  static constexpr const char* name = Term::name;
  Term term;
  Reduction reduction;

  Shape shape(std::span<const Shape> inputs) const {
    for (std::size_t i = 1; i < arity; ++i)
      detail::require<ShapeError>(inputs[i] == inputs[0], name, ": ", Term::inputs[0], " is ", inputs[0], ", ",
                                  Term::inputs[i], " is ", inputs[i], "; the shapes must be equal",
                                  inputs[i].size() == inputs[0].size() ? " (reshape gives a tensor another)" : "");
    return detail::reduced_shape(name, inputs[0], reduction);
  }

  void forward(std::span<const ConstTensorView> inputs, TensorView y) const {
    if constexpr (requires { term.check(inputs); }) term.check(inputs);
    const Index size = inputs[0].size();
    if (reduction == Reduction::none) {
      parallel_for(size, detail::chunk_size, [&](Index begin, Index end) {
        detail::for_blocks(
            begin, end, [&](Index at, Index n) { term.value(slices(inputs, at, n), detail::flat(y.data() + at, n)); });
      });
      return;
    }
    const double total = parallel_sum(size, detail::chunk_size, [&](Index begin, Index end) {
      double part = 0;
      detail::Block block;
      detail::for_blocks(begin, end, [&](Index at, Index n) {
        term.value(slices(inputs, at, n), detail::flat(block.data, n));
        part += simd::sum(block.data, n);
      });
      return part;
    });
    y.data()[0] = static_cast<Scalar>(total * detail::reduced_scale(reduction, size));
  }

  void backward(std::span<const ConstTensorView> inputs, ConstTensorView, ConstTensorView dy,
                std::span<Gradient> gradients) const {
    const Index size = inputs[0].size();
    const auto scale = static_cast<Scalar>(detail::reduced_scale(reduction, size));
    for (std::size_t i = 0; i < arity; ++i) {
      if (!gradients[i]) continue;
      const Gradient::Target target = gradients[i].target();
      parallel_for(size, detail::chunk_size, [&](Index begin, Index end) {
        detail::Block block;
        detail::for_blocks(begin, end, [&](Index at, Index n) {
          const auto slope = detail::flat(block.data, n), to = detail::flat(target.view.data() + at, n);
          term.slope(i, slices(inputs, at, n), slope);
          if (reduction == Reduction::none) {
            detail::put(to, target.first, slope * detail::flat(dy.data() + at, n));
          } else {
            detail::put(to, target.first, slope * (scale * dy.data()[0]));
          }
        });
      });
    }
  }

 private:
  static constexpr std::size_t arity = Term::inputs.size();

  static std::array<detail::ConstArrayMap, arity> slices(std::span<const ConstTensorView> inputs, Index begin,
                                                         Index n) {
    return [&]<std::size_t... i>(std::index_sequence<i...>) {
      return std::array{detail::flat(inputs[i].data() + begin, n)...};
    }
    (std::make_index_sequence<arity>{});
  }
};

}  // namespace ops

namespace detail {

template <std::size_t inputs>
using Blocks = std::array<ConstArrayMap, inputs>;

template <class Term, std::same_as<Var>... Vars>
Var loss(const Term& term, Reduction reduction, Vars... vars) {
  return apply_span(ops::Loss<Term>{term, reduction}, std::array{vars...});
}

}  // namespace detail

}  // namespace tapegrad::inline TAPEGRAD_ABI
