#pragma once
// What the loops of the ops are made of: flat Eigen maps, scratch space on the stack, a tensor cut at one axis.

#include "../core/tensor.hpp"

namespace tapegrad::inline TAPEGRAD_ABI::detail {

using ArrayMap = Eigen::Map<Eigen::Array<Scalar, Eigen::Dynamic, 1>>;
using ConstArrayMap = Eigen::Map<const Eigen::Array<Scalar, Eigen::Dynamic, 1>>;

inline ArrayMap flat(Scalar* data, Index n) { return {data, n}; }
inline ConstArrayMap flat(const Scalar* data, Index n) { return {data, n}; }

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

/// `to = from` for a first contribution, `to += from` for a later one.
template <class Expression>
void put(ArrayMap to, bool first, const Eigen::ArrayBase<Expression>& from) {
  if (first) {
    to = from;
  } else {
    to += from;
  }
}

/// Calls body(row) for every row of a matrix, several at a time on each thread.
template <class Body>
void for_rows(Index rows, Index cols, const Body& body) {
  parallel_for(rows, std::max<Index>(1, chunk_size / std::max<Index>(1, cols)), [&](Index begin, Index end) {
    for (Index row = begin; row < end; ++row) body(row);
  });
}

/// `axis` with negative ones counted from the last. Throws ShapeError, in the name of an op, beyond the rank.
inline int checked_axis(const char* op, const Shape& shape, int axis) {
  require<ShapeError>(axis >= -shape.rank() && axis < shape.rank(), op, ": axis ", axis, " of a tensor of shape ",
                      shape, "; it has ", shape.rank(), " axes (negative ones count from the last)");
  return axis < 0 ? axis + shape.rank() : axis;
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

}  // namespace tapegrad::inline TAPEGRAD_ABI::detail
