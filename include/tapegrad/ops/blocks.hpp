#pragma once
// What the loops of the ops are made of: formulas of four numbers at a time, scratch space on the stack, a tensor cut
// at one axis.

#include <algorithm>

#include "../autodiff/gradient.hpp"
#include "../core/simd/vec.hpp"

namespace tapegrad::inline TAPEGRAD_ABI {

namespace detail {

/// What a formula is written for. Not Eigen's expressions, each of which is a type of its own and compiles for a tenth
/// of a second; and as fast on every machine as the memory that such loops wait for.
using Four = simd::Vec<Scalar, 4>;

/// y[i] = f(x[i]...) for i < n.
template <class Formula, class... X>
void each(Scalar* y, Index n, const Formula& f, const X*... x) {
  simd::map<Four::lanes>(f, y, n, x...);
}
/// y = f(x...), element by element.
template <class Formula, class... X>
void each(const TensorView& y, const Formula& f, const X&... x) {
  parallel_for(y.size(), chunk_size, [&f, to = y.data(), ... from = x.data()](Index begin, Index end) {
    each(to + begin, end - begin, f, from + begin...);
  });
}

/// to[i] = f(x[i]...), or for a later contribution to[i] += f(x[i]...), for i < n.
template <class Formula, class... X>
void put(Scalar* to, Index n, bool first, const Formula& f, const X*... x) {
  if (first)
    each(to, n, f, x...);
  else
    each(
        to, n, [f](const Four& before, const auto&... numbers) { return before + f(numbers...); }, to, x...);
}
template <class Formula, class... X>
void put(const TensorView& y, bool first, const Formula& f, const X&... x) {
  parallel_for(y.size(), chunk_size, [&f, first, to = y.data(), ... from = x.data()](Index begin, Index end) {
    put(to + begin, end - begin, first, f, from + begin...);
  });
}

/// The formula that gives back what it gets.
struct Same {
  TAPEGRAD_INLINE Four operator()(const Four& x) const { return x; }
};

/// Adds f(x...), element by element, to a gradient, if that is wanted.
template <class Formula, class... X>
void contribute(const Gradient& gradient, const Formula& f, const X&... x) {
  if (!gradient) return;
  const auto [view, first] = gradient.target();
  put(view, first, f, x...);
}

/// Scratch space on the stack: loops that need a place for what they compute on the way go through their range in
/// blocks of this many elements.
struct alignas(64) Block {
  static constexpr Index size = 1024;
  Scalar data[size];
};

/// Calls body(begin, n) for the blocks of a range, in order.
template <class Body>
void for_blocks(Index begin, Index end, const Body& body) {
  for (; begin < end; begin += Block::size) body(begin, std::min(Block::size, end - begin));
}

/// Calls body(row) for every row of a matrix, several at a time on each thread.
inline void for_rows(Index rows, Index cols, FunctionRef<void(Index)> body) {
  parallel_for(rows, std::max<Index>(1, chunk_size / std::max<Index>(1, cols)), [&](Index begin, Index end) {
    for (Index row = begin; row < end; ++row) body(row);
  });
}

/// A tensor cut at one axis: element (o, i, k) is number (o * length + i) * inner + k.
struct Cut {
  Index outer = 1;
  Index length = 1;
  Index inner = 1;

  Cut(const Shape& shape, int axis) : length(shape[axis]) {
    for (int i = 0; i < axis; ++i) outer *= shape[i];
    for (int i = axis + 1; i < shape.rank(); ++i) inner *= shape[i];
  }
};

}  // namespace detail

namespace ops {
using detail::Four;
}

}  // namespace tapegrad::inline TAPEGRAD_ABI
