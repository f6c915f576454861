#pragma once
// Numbers that are somebody else's, looked at as a tensor without a copy. What is looked at must stay where it is as
// long as the view is used. (The way back is `matrix()`, `array()` and `span()`, which every tensor has.)

#include <concepts>
#include <ranges>
#include <type_traits>

#include "tensor.hpp"

namespace tapegrad::inline TAPEGRAD_ABI {

namespace detail {

template <class T>
auto view_of(T* data, const Shape& shape) {
  return std::conditional_t<std::is_const_v<T>, ConstTensorView, TensorView>(data, shape);
}

template <class T>
concept EigenDense = std::derived_from<T, Eigen::DenseBase<T>>;

template <class T>
concept ScalarRange = std::ranges::contiguous_range<T> && std::ranges::borrowed_range<T> &&
    std::same_as<std::ranges::range_value_t<T>, Scalar> && !EigenDense<std::remove_cvref_t<T>>;  // ranges in Eigen 5

}  // namespace detail

/// The Scalars of a std::vector, std::array, std::span, ... as a tensor of one axis; `reshaped` gives it others.
template <detail::ScalarRange Range>
auto view(Range&& elements) {
  return detail::view_of(std::ranges::data(elements), Shape{static_cast<Index>(std::ranges::size(elements))});
}

/// An Eigen matrix or array of Scalar, or some whole rows of one, stored row by row:
/// `Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>`. What Eigen knows to be a vector has one
/// axis. Throws ShapeError where rows do not follow each other in memory.
template <class Dense>
requires detail::EigenDense<std::remove_cvref_t<Dense>>
auto view(Dense&& matrix) {
  using Type = std::remove_cvref_t<Dense>;
  static_assert(std::same_as<typename Type::Scalar, Scalar>,
                "tapegrad::view: the elements are not of type tapegrad::Scalar; make a Tensor of them, which converts");
  static_assert(Type::IsRowMajor || Type::IsVectorAtCompileTime,
                "tapegrad::view: the matrix is stored column by column; make a Tensor of it, which copies, or store it "
                "with Eigen::RowMajor");
  static_assert(std::is_lvalue_reference_v<Dense> || !std::derived_from<Type, Eigen::PlainObjectBase<Type>>,
                "tapegrad::view: the matrix is a temporary, gone before the view is used; give it a name");
  detail::require<ShapeError>(
      (matrix.innerStride() == 1 || matrix.size() <= 1) &&
          (Type::IsVectorAtCompileTime || matrix.rows() <= 1 || matrix.outerStride() == matrix.cols()),
      "view: a part of a matrix, ", matrix.rows(), "x", matrix.cols(),
      ", whose elements do not lie side by side; make a Tensor of it, which copies");
  if constexpr (Type::IsVectorAtCompileTime)
    return detail::view_of(matrix.data(), Shape{matrix.size()});
  else
    return detail::view_of(matrix.data(), Shape{matrix.rows(), matrix.cols()});
}

}  // namespace tapegrad::inline TAPEGRAD_ABI
