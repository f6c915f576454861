#pragma once
// NumPy's broadcasting: axes are compared from the last; lengths must be equal, or one of them 1 or missing. Where that
// puts the elements of two inputs and of their result.

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include "../core/error.hpp"
#include "../core/function_ref.hpp"
#include "../core/shape.hpp"
#include "blocks.hpp"

namespace tapegrad::inline TAPEGRAD_ABI::detail {

/// The shape that two shapes broadcast to. Throws ShapeError, in the name of an op, if there is none.
inline Shape broadcast_shape(const char* op, const Shape& a, const Shape& b) {
  if (a == b) return a;
  Shape result = a.rank() >= b.rank() ? a : b;
  const Shape& other = a.rank() >= b.rank() ? b : a;
  for (int axis = -1; axis >= -other.rank(); --axis) {
    if (result[axis] == other[axis] || other[axis] == 1) continue;
    require<ShapeError>(result[axis] == 1, op, ": the inputs are ", a, " and ", b, "; axis ", axis, " (", a[axis],
                        " and ", b[axis], ") must be equal or 1 to be broadcast");
    result = result.with(axis, other[axis]);
  }
  return result;
}

/// Where an element of the result is, and the elements of the inputs that it comes from.
struct Offsets {
  Index y = 0;
  std::array<Index, 2> in{};
};

/// Axes of the result, the innermost first, and how far apart their elements are in it and in the inputs: 0 apart in an
/// input that is broadcast along an axis. The innermost of a result's axes is contiguous, or 0 apart.
class Axes {
 public:
  Axes() = default;
  /// All axes of the result, those merged into one along which both inputs go on alike.
  Axes(const Shape& y, const Shape& a, const Shape& b) {
    Offsets stride{1, {1, 1}};
    const auto step = [](Index& stride_in, const Shape& shape, int axis) {
      const Index length = axis >= -shape.rank() ? shape[axis] : 1;
      return length == 1 ? 0 : std::exchange(stride_in, stride_in * length);
    };
    for (int axis = -1; axis >= -y.rank(); --axis) {
      if (y[axis] == 1) continue;
      append({y[axis], {step(stride.y, y, axis), {step(stride.in[0], a, axis), step(stride.in[1], b, axis)}}});
    }
  }

  /// The product of the lengths from axis `first` on.
  Index size(std::size_t first = 0) const {
    Index product = 1;
    for (std::size_t i = first; i < count_; ++i) product *= axes_[i].length;
    return product;
  }
  /// The length of the innermost axis.
  Index inner() const { return count_ == 0 ? 1 : axes_[0].length; }

  /// Where position `index` of the axes from `first` on lies, relative to `base`.
  Offsets at(Index index, std::size_t first = 0, Offsets base = {}) const {
    for (std::size_t i = first; i + 1 < count_; ++i) {
      base = moved(base, i, index % axes_[i].length);
      index /= axes_[i].length;
    }
    return first < count_ ? moved(base, count_ - 1, index) : base;
  }

  /// Calls body(offsets, n) for the positions begin .. end - 1 in order: runs of up to a block along the innermost
  /// axis.
  void runs(Index begin, Index end, Offsets base, FunctionRef<void(const Offsets&, Index)> body) const {
    while (begin < end) {
      const Index along = begin % inner();
      const Index n = std::min({inner() - along, end - begin, Block::size});
      body(at(begin, 0, base), n);
      begin += n;
    }
  }

  /// Those axes along which that input is broadcast, or those along which it is not.
  Axes along(std::size_t input, bool broadcast) const {
    Axes result;
    for (std::size_t i = 0; i < count_; ++i)
      if ((axes_[i].stride.in[input] == 0) == broadcast) result.axes_[result.count_++] = axes_[i];
    return result;
  }
  /// Whether that input is broadcast along the innermost axis.
  bool repeats(std::size_t input) const { return count_ > 0 && axes_[0].stride.in[input] == 0; }

 private:
  struct Axis {
    Index length;
    Offsets stride;
  };

  void append(const Axis& outer) {
    if (count_ > 0) {
      Axis& last = axes_[count_ - 1];
      const Offsets past = moved({}, count_ - 1, last.length);
      if (past.y == outer.stride.y && past.in == outer.stride.in) {
        last.length *= outer.length;
        return;
      }
    }
    axes_[count_++] = outer;
  }
  Offsets moved(Offsets from, std::size_t axis, Index steps) const {
    const Offsets& stride = axes_[axis].stride;
    return {from.y + steps * stride.y, {from.in[0] + steps * stride.in[0], from.in[1] + steps * stride.in[1]}};
  }

  std::array<Axis, Shape::max_rank> axes_{};
  std::size_t count_ = 0;
};

}  // namespace tapegrad::inline TAPEGRAD_ABI::detail
