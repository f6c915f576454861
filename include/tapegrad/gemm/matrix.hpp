#pragma once
// What a product is made of: matrices with any strides, and where the result starts.

#include "../core/config.hpp"

namespace tapegrad::inline TAPEGRAD_ABI {

/// A matrix somewhere in memory: element (i, j) is data[i * row_stride + j * col_stride].
template <class T>
struct Strided {
  T* data;
  Index rows;
  Index cols;
  Index row_stride;
  Index col_stride = 1;

  /// Where element (i, j) is.
  T* at(Index i, Index j) const { return data + i * row_stride + j * col_stride; }
  /// The same memory, of which element (i, j) is this one's (j, i).
  [[nodiscard]] Strided transposed() const { return {data, cols, rows, col_stride, row_stride}; }
};
using StridedMatrix = Strided<Scalar>;
using ConstStridedMatrix = Strided<const Scalar>;

/// Where C starts.
struct GemmStart {
  enum class From { zero, bias, c };
  From from = From::zero;
  const Scalar* bias_row = nullptr;

  static GemmStart zero() { return {}; }
  /// Each row of C starts at `row` (as many elements as C has columns).
  static GemmStart bias(const Scalar* row) { return {From::bias, row}; }
  /// C is added to.
  static GemmStart c() { return {From::c, nullptr}; }
};

/// A product to compute: C = start + A·B.
struct GemmTask {
  ConstStridedMatrix a;
  ConstStridedMatrix b;
  StridedMatrix c;
  GemmStart start;
};

}  // namespace tapegrad::inline TAPEGRAD_ABI
