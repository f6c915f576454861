#pragma once
// Tensors as a person would want to see them.

#include <algorithm>
#include <ostream>
#include <string>

#include "tensor.hpp"

namespace tapegrad::inline TAPEGRAD_ABI {

namespace detail {

/// The elements of a tensor in nested brackets, in columns; the middle of a long axis is left out.
class ElementsText {
 public:
  explicit ElementsText(ConstTensorView tensor) : tensor_(tensor) {
    append(0, 0, tensor.size());  // finds the width of a column
    text_.clear();
    append(0, 0, tensor.size());
  }
  const std::string& str() const { return text_; }

 private:
  static constexpr Index longest_axis = 8, shown_at_ends = 3;

  /// What lies below the first `axis` axes: `count` elements from `first` on.
  void append(int axis, Index first, Index count) {
    if (axis == tensor_.rank()) return append_element(tensor_.data()[first]);
    const Index length = tensor_.shape()[axis], step = length == 0 ? 0 : count / length;
    const bool innermost = axis + 1 == tensor_.rank();
    text_ += '[';
    for (Index i = 0; i < length; ++i) {
      if (i > 0) text_ += innermost ? ", " : ",\n" + std::string(static_cast<std::size_t>(axis) + 1, ' ');
      if (length > longest_axis && i == shown_at_ends) {
        text_ += "...";
        i = length - shown_at_ends - 1;
      } else {
        append(axis + 1, first + i * step, step);
      }
    }
    text_ += ']';
  }
  void append_element(Scalar value) {
    std::string number;
    append_number(number, double{value}, 4);
    text_.append(width_ - std::min(width_, number.size()), ' ') += number;
    width_ = std::max(width_, number.size());
  }

  ConstTensorView tensor_;
  std::string text_;
  std::size_t width_ = 0;
};

/// "Tensor 2x3 float: " and the elements, which begin on a line of their own where they need several.
inline void print(std::ostream& out, const std::string& title, ConstTensorView tensor) {
  out << title << (tensor.rank() > 1 ? ":\n" : ": ") << ElementsText(tensor).str();
}

}  // namespace detail

/// Shape, type and elements, four digits of each; of an axis longer than 8 the first and the last three.
///
///     Tensor 2x3 float:
///     [[    1,   2.5,    -3],
///      [    4,     5, 1e-06]]
inline std::ostream& operator<<(std::ostream& out, ConstTensorView tensor) {
  detail::print(out, detail::concat("Tensor ", tensor.shape(), " ", detail::scalar_name), tensor);
  return out;
}

}  // namespace tapegrad::inline TAPEGRAD_ABI
