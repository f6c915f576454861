#pragma once

#include <algorithm>
#include <array>
#include <initializer_list>
#include <limits>
#include <ostream>
#include <span>
#include <string>
#include <utility>

#include "error.hpp"

namespace tapegrad::inline TAPEGRAD_ABI {

/// The lengths of a tensor's axes, outermost first; up to 6 of them, stored inline. A scalar has none.
class Shape {
 public:
  static constexpr int max_rank = 6;

  /// A scalar's shape: no axes, one element.
  Shape() = default;
  /// `Shape{128, 784}`. Throws ShapeError for a negative length, too many axes or too many elements.
  Shape(std::initializer_list<Index> lengths) : Shape(std::span<const Index>(lengths.begin(), lengths.size())) {}
  explicit Shape(std::span<const Index> lengths) {
    detail::require<ShapeError>(lengths.size() <= max_rank, "shape: ", lengths.size(), " axes; at most ", max_rank,
                                " are supported");
    for (Index length : lengths) append(length);
  }

  int rank() const { return rank_; }
  /// The length of an axis; negative axes count from the last. Throws ShapeError beyond the rank.
  Index operator[](int axis) const { return lengths_[static_cast<std::size_t>(checked_axis(axis))]; }
  /// The number of elements: 1 for a scalar, 0 if any axis is empty.
  Index size() const { return size_; }
  bool empty() const { return size_ == 0; }

  /// As a matrix, leading axes folded into rows: the length of the last axis, 1 for a scalar.
  Index cols() const { return rank_ == 0 ? 1 : lengths_[static_cast<std::size_t>(rank_ - 1)]; }
  /// As a matrix: the product of all axes but the last, 1 for a scalar or a vector.
  Index rows() const {
    Index product = 1;
    for (int axis = 0; axis + 1 < rank_; ++axis) product *= lengths_[static_cast<std::size_t>(axis)];
    return product;
  }

  const Index* begin() const { return lengths_.data(); }
  const Index* end() const { return lengths_.data() + rank_; }

  /// `axis`, with negative ones counted from the last. Throws ShapeError, in the name of `asker`, beyond the rank.
  int checked_axis(int axis, const char* asker = "shape") const {
    detail::require<ShapeError>(rank_ > 0, asker, ": axis ", axis, " of a scalar, which has none");
    detail::require<ShapeError>(axis >= -rank_ && axis < rank_, asker, ": axis ", axis, " of a tensor of shape ", *this,
                                "; axes run from ", -rank_, " to ", rank_ - 1);
    return axis < 0 ? axis + rank_ : axis;
  }
  /// This shape with one axis of another length.
  [[nodiscard]] Shape with(int axis, Index length) const {
    Shape result;
    const int changed = checked_axis(axis);
    for (int i = 0; i < rank_; ++i) result.append(i == changed ? length : (*this)[i]);
    return result;
  }
  /// This shape with two axes swapped.
  [[nodiscard]] Shape swapped(int a, int b) const {
    const int first = checked_axis(a), second = checked_axis(b);
    Shape result = *this;
    std::swap(result.lengths_[static_cast<std::size_t>(first)], result.lengths_[static_cast<std::size_t>(second)]);
    return result;
  }
  /// This shape without one axis.
  [[nodiscard]] Shape without(int axis) const {
    Shape result;
    const int dropped = checked_axis(axis);
    for (int i = 0; i < rank_; ++i)
      if (i != dropped) result.append((*this)[i]);
    return result;
  }

  /// "128x784"; "scalar" for no axes.
  std::string str() const {
    if (rank_ == 0) return "scalar";
    std::string text;
    for (Index length : *this) {
      if (!text.empty()) text += 'x';
      text += std::to_string(length);
    }
    return text;
  }

  friend bool operator==(const Shape& a, const Shape& b) {  // std::ranges::equal costs a chain of tiny ops 5 % more
    if (a.rank_ != b.rank_) return false;
    for (int i = 0; i < a.rank_; ++i)
      if (a.lengths_[static_cast<std::size_t>(i)] != b.lengths_[static_cast<std::size_t>(i)]) return false;
    return true;
  }
  friend std::ostream& operator<<(std::ostream& out, const Shape& shape) { return out << shape.str(); }

 private:
  void append(Index length) {
    detail::require<ShapeError>(length >= 0, "shape: an axis of length ", length, "; lengths cannot be negative");
    Index others = size_;
    if (others == 0) {  // a part of an empty shape, as its rows() are, has as many elements as its other axes say
      others = 1;
      for (const Index other : *this) others *= std::max<Index>(1, other);
    }
    detail::require<ShapeError>(length == 0 || others <= std::numeric_limits<Index>::max() / 16 / length,
                                "shape: ", *this, " and an axis of length ", length,
                                " have more elements than memory can address");
    lengths_[static_cast<std::size_t>(rank_++)] = length;
    size_ *= length;
  }

  std::array<Index, max_rank> lengths_{};
  Index size_ = 1;
  int rank_ = 0;
};

namespace detail {

/// "[0, 37]": where element i of a tensor stands.
inline std::string position(const Shape& shape, Index i) {
  std::string text;
  for (int axis = shape.rank() - 1; axis >= 0; --axis) {
    text = concat(i % shape[axis], text.empty() ? "" : ", ", text);
    i /= shape[axis];
  }
  return concat("[", text, "]");
}

}  // namespace detail
}  // namespace tapegrad::inline TAPEGRAD_ABI
