#pragma once
// Tensors: contiguous, row-major, of the build's one scalar type. `Tensor` owns its elements; `TensorView` and
// `ConstTensorView` look at somebody else's. All three give Eigen maps without a copy.

#include <algorithm>
#include <cstring>
#include <initializer_list>
#include <span>
#include <type_traits>
#include <utility>

#include "eigen.hpp"
#include "memory.hpp"
#include "parallel.hpp"
#include "shape.hpp"

namespace tapegrad::inline TAPEGRAD_ABI {

namespace detail {

/// What the three tensor types have in common. `Derived` has data() and shape().
template <class Derived>
class TensorAccess {
 public:
  Index size() const { return self().shape().size(); }
  bool empty() const { return size() == 0; }
  int rank() const { return self().shape().rank(); }

  /// All elements in a row, as an Eigen array.
  auto array() { return map_array(self().data()); }
  auto array() const { return map_array(self().data()); }
  /// As an Eigen matrix, leading axes folded into rows.
  auto matrix() { return map_matrix(self().data(), self().shape().rows(), self().shape().cols()); }
  auto matrix() const { return map_matrix(self().data(), self().shape().rows(), self().shape().cols()); }
  /// All elements in a row, as a span.
  auto span() { return std::span(self().data(), count()); }
  auto span() const { return std::span(self().data(), count()); }

  /// Element i of all in a row. Throws ValueError beyond the end.
  auto& operator[](Index i) { return self().data()[checked(i)]; }
  auto& operator[](Index i) const { return self().data()[checked(i)]; }
  /// Element (row, col) of `matrix()`. Throws ValueError beyond the ends.
  auto& operator()(Index row, Index col) { return self().data()[checked(row, col)]; }
  auto& operator()(Index row, Index col) const { return self().data()[checked(row, col)]; }

  /// The value of a tensor with one element. Throws ShapeError for any other.
  double item() const {
    require<ShapeError>(size() == 1, "item: the tensor's shape is ", self().shape(), "; it must have one element");
    return static_cast<double>(self().data()[0]);
  }

 protected:
  // (Templates, so that those who use no Eigen need not compile its types.)
  template <class T>
  static auto map_matrix(T* data, Index rows, Index cols) {
    using Matrix = Eigen::Matrix<std::remove_const_t<T>, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
    return Eigen::Map<std::conditional_t<std::is_const_v<T>, const Matrix, Matrix>>(data, rows, cols);
  }
  const Shape& same_size(const Shape& shape) const {
    require<ShapeError>(shape.size() == size(), "reshape: ", self().shape(), " has ", size(), " elements, ", shape,
                        " has ", shape.size(), "; the numbers must be equal");
    return shape;
  }

 private:
  Derived& self() { return static_cast<Derived&>(*this); }
  const Derived& self() const { return static_cast<const Derived&>(*this); }
  std::size_t count() const { return static_cast<std::size_t>(size()); }

  template <class T>
  auto map_array(T* data) const {
    using Array = Eigen::Array<std::remove_const_t<T>, Eigen::Dynamic, 1>;
    return Eigen::Map<std::conditional_t<std::is_const_v<T>, const Array, Array>>(data, size());
  }
  Index checked(Index i) const {
    require<ValueError>(i >= 0 && i < size(), "tensor: element ", i, " of ", size(), " (shape ", self().shape(),
                        "); they count from 0");
    return i;
  }
  Index checked(Index row, Index col) const {
    const Index rows = self().shape().rows(), cols = self().shape().cols();
    require<ValueError>(row >= 0 && row < rows && col >= 0 && col < cols, "tensor: element (", row, ", ", col,
                        ") of shape ", self().shape(), "; rows and columns count from 0");
    return row * cols + col;
  }
};

/// What Eigen knows to be a vector when it compiles is a tensor of one axis, everything else one of two.
template <class Derived>
Shape shape_of(const Eigen::DenseBase<Derived>& expression) {
  if constexpr (Derived::IsVectorAtCompileTime) return {expression.size()};
  return {expression.rows(), expression.cols()};
}

}  // namespace detail

/// Elements that somebody else owns, to read.
class ConstTensorView : public detail::TensorAccess<ConstTensorView> {
 public:
  ConstTensorView() : shape_{0} {}
  ConstTensorView(const Scalar* data, const Shape& shape) : shape_(shape), data_(data) {}

  const Scalar* data() const { return data_; }
  const Shape& shape() const { return shape_; }
  /// The same elements under another shape. Throws ShapeError if their number differs.
  [[nodiscard]] ConstTensorView reshaped(const Shape& shape) const { return {data_, same_size(shape)}; }

 private:
  Shape shape_;  // first: so copies of it alone and of the whole move the same 16 bytes at a time, and need not wait
  const Scalar* data_ = nullptr;
};

/// Elements that somebody else owns, to read and write (also through a const view: it is the view that is const).
class TensorView : public detail::TensorAccess<TensorView> {
 public:
  TensorView() : shape_{0} {}
  TensorView(Scalar* data, const Shape& shape) : shape_(shape), data_(data) {}
  operator ConstTensorView() const { return {data_, shape_}; }

  Scalar* data() const { return data_; }
  const Shape& shape() const { return shape_; }
  /// The same elements under another shape. Throws ShapeError if their number differs.
  [[nodiscard]] TensorView reshaped(const Shape& shape) const { return {data_, same_size(shape)}; }

  void fill(double value) const { std::fill_n(data_, size(), static_cast<Scalar>(value)); }
  /// Copies all elements; the two may overlap. Throws ShapeError unless the shapes are equal.
  void copy_from(ConstTensorView from) const {
    require_shape(from.shape());
    if (!empty()) std::memmove(data_, from.data(), static_cast<std::size_t>(size()) * sizeof(Scalar));
  }
  /// The same of any Eigen matrix, array or expression, of any real scalar type and storage order; its shape is that of
  /// a Tensor made of it.
  template <class Derived>
  void copy_from(const Eigen::DenseBase<Derived>& from) const {
    require_shape(detail::shape_of(from));
    map_matrix(data_, from.rows(), from.cols()).array() = from.derived().array().template cast<Scalar>();
  }
  /// Evaluates an Eigen expression into this view: one of `size()` elements in a row, in fixed chunks over threads, or
  /// one of as many rows and columns as `matrix()`. Throws ShapeError for another number of elements.
  template <class Expression>
  void assign(const Eigen::ArrayBase<Expression>& expression) const {
    evaluate(expression.derived(), [](auto&& to, const auto& from) { to = from; });
  }
  /// Like assign, but adds.
  template <class Expression>
  void add(const Eigen::ArrayBase<Expression>& expression) const {
    evaluate(expression.derived(), [](auto&& to, const auto& from) { to += from; });
  }

 private:
  void require_shape(const Shape& from) const {
    detail::require<ShapeError>(from == shape_, "copy: from ", from, " to ", shape_, "; the shapes must be equal");
  }
  template <class Expression, class Store>
  void evaluate(const Expression& expression, const Store& store) const {
    if constexpr (Expression::IsVectorAtCompileTime) {
      if (expression.size() != size()) [[unlikely]]
        refuse({expression.size()}, {size()});
      auto all = array();
      parallel_for(size(), detail::chunk_size, [&](Index begin, Index end) {
        store(all.segment(begin, end - begin), expression.segment(begin, end - begin));
      });
    } else {
      auto all = matrix();
      if (expression.rows() != all.rows() || expression.cols() != all.cols()) [[unlikely]]
        refuse({expression.rows(), expression.cols()}, {all.rows(), all.cols()});
      store(all.array(), expression);
    }
  }
  [[noreturn, gnu::noinline]] void refuse(const Shape& got, const Shape& has) const {
    throw ShapeError(
        detail::concat("tensor: an expression of ", got, " elements for shape ", shape_, ", which has ", has));
  }

  Shape shape_;  // first, as above
  Scalar* data_ = nullptr;
};

/// A tensor that owns its elements: contiguous, row-major, aligned to 64 bytes.
class Tensor : public detail::TensorAccess<Tensor> {
 public:
  /// No elements; shape {0}.
  Tensor() : shape_{0} {}
  /// Zeros.
  explicit Tensor(const Shape& shape) : Tensor(uninitialized(shape)) { view().fill(0); }
  /// `value` everywhere.
  Tensor(const Shape& shape, double value) : Tensor(uninitialized(shape)) { view().fill(value); }
  /// `Tensor({2, 2}, {1, 2, 3, 4})`: elements in row-major order. Throws ShapeError unless there are shape.size().
  Tensor(const Shape& shape, std::span<const Scalar> elements) : Tensor(uninitialized(shape)) {
    detail::require<ShapeError>(static_cast<Index>(elements.size()) == shape.size(), "tensor: ", elements.size(),
                                " elements for shape ", shape, "; it needs ", shape.size());
    std::copy(elements.begin(), elements.end(), data());
  }
  Tensor(const Shape& shape, std::initializer_list<Scalar> elements)
      : Tensor(shape, std::span<const Scalar>(elements.begin(), elements.size())) {}
  /// Copies what a view looks at.
  explicit Tensor(ConstTensorView from) : Tensor(uninitialized(from.shape())) { view().copy_from(from); }
  /// Any Eigen matrix, array or expression, of any real scalar type and storage order. What Eigen knows to be a vector
  /// when it compiles becomes a tensor of one axis, everything else one of two.
  template <class Derived>
  Tensor(const Eigen::DenseBase<Derived>& expression) : Tensor(uninitialized(detail::shape_of(expression))) {
    view().copy_from(expression);
  }

  Tensor(const Tensor& other) : Tensor(ConstTensorView(other)) {}
  Tensor(Tensor&& other) noexcept : data_(std::move(other.data_)), shape_(std::exchange(other.shape_, Shape{0})) {}
  Tensor& operator=(Tensor other) noexcept {
    data_.swap(other.data_);
    std::swap(shape_, other.shape_);
    return *this;
  }
  ~Tensor() = default;

  /// Filled with 0, with 1, or with a value.
  static Tensor zeros(const Shape& shape) { return Tensor(shape); }
  static Tensor ones(const Shape& shape) { return Tensor(shape, 1); }
  static Tensor full(const Shape& shape, double value) { return Tensor(shape, value); }
  /// Elements hold whatever the memory held: for those who write all of them at once.
  static Tensor uninitialized(const Shape& shape) {
    Tensor result;
    if (shape.size() > 0) result.data_ = detail::allocate_aligned<Scalar>(static_cast<std::size_t>(shape.size()));
    result.shape_ = shape;
    return result;
  }

  operator ConstTensorView() const { return {data(), shape_}; }
  operator TensorView() & { return view(); }
  operator TensorView() && = delete;  // what is written to a temporary is lost
  TensorView view() { return {data(), shape_}; }
  ConstTensorView view() const { return {data(), shape_}; }

  Scalar* data() { return data_.get(); }
  const Scalar* data() const { return data_.get(); }
  const Shape& shape() const { return shape_; }

 private:
  detail::AlignedArray<Scalar> data_;
  Shape shape_;
};

/// True where shapes and all bits are equal (so NaN equals the same NaN, and 0 differs from -0).
[[nodiscard]] inline bool same_bits(ConstTensorView a, ConstTensorView b) {
  return a.shape() == b.shape() &&
         (a.empty() || std::memcmp(a.data(), b.data(), static_cast<std::size_t>(a.size()) * sizeof(Scalar)) == 0);
}

}  // namespace tapegrad::inline TAPEGRAD_ABI
