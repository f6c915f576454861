#pragma once
// Tensors as Eigen's tensors of any rank, without a copy. No other header includes this one, as Eigen's are unsupported
// and slow to compile.

#include <array>
#include <type_traits>

#include "eigen_tensor.hpp"
#include "tensor.hpp"

namespace tapegrad::inline TAPEGRAD_ABI {

namespace detail {

template <int rank, class T>
auto tensor_map(T* data, const Shape& shape) {
  require<ShapeError>(shape.rank() == rank, "tensor_map: got shape ", shape, " of rank ", shape.rank(),
                      "; a map of rank ", rank, " was asked for");
  using EigenTensor = Eigen::Tensor<std::remove_const_t<T>, rank, Eigen::RowMajor, Index>;
  std::array<Index, rank> sizes;
  for (int axis = 0; axis < rank; ++axis) sizes[static_cast<std::size_t>(axis)] = shape[axis];
  return Eigen::TensorMap<std::conditional_t<std::is_const_v<T>, const EigenTensor, EigenTensor>>(data, sizes);
}

}  // namespace detail

/// `x` as an Eigen::TensorMap of its shape, row-major: `tensor_map<3>(x)(i, j, k)`. It looks at the tensor's memory.
/// Throws ShapeError where `rank` is not the tensor's.
template <int rank>
auto tensor_map(TensorView x) {
  return detail::tensor_map<rank>(x.data(), x.shape());
}
template <int rank>
auto tensor_map(ConstTensorView x) {
  return detail::tensor_map<rank>(x.data(), x.shape());
}
template <int rank>
auto tensor_map(Tensor& x) {
  return tensor_map<rank>(x.view());
}
template <int rank>
auto tensor_map(const Tensor& x) {
  return tensor_map<rank>(x.view());
}
template <int rank>
auto tensor_map(const Tensor&& x) = delete;  // gone before the map is used

}  // namespace tapegrad::inline TAPEGRAD_ABI
