#pragma once
// C = start + A·B, the library's hot path.
//
// The contract: every element of C starts at zero, at its column's entry of a bias row, or at what C holds, and is then
// one chain of fused multiply-adds over k in ascending order. There is no alpha and no other beta. So the result, to
// the bit, depends neither on blocking nor on threads nor on the instruction set.

#include "../core/parallel.hpp"
#include "matrix.hpp"
#include "product.hpp"

namespace tapegrad::inline TAPEGRAD_ABI {

/// C = start + A·B for A (m, k), B (k, n), C (m, n). Transposed operands are strides: `b.transposed()`. C overlaps
/// neither operand, and its col_stride is 1. Throws ShapeError where the sizes do not agree.
inline void gemm(ConstStridedMatrix a, ConstStridedMatrix b, StridedMatrix c, GemmStart start = GemmStart::zero()) {
  detail::require<ShapeError>(a.cols == b.rows && a.rows == c.rows && b.cols == c.cols, "gemm: A is ", a.rows, "x",
                              a.cols, ", B is ", b.rows, "x", b.cols, ", C is ", c.rows, "x", c.cols,
                              "; they must be m x k, k x n and m x n");
  if (c.rows == 0 || c.cols == 0) return;
  const gemm_detail::Product product(a, b, c, start);
  detail::parallel_region(static_cast<int>(product.blocks()), [&](int thread, int threads) {
    for (Index block = thread; block < product.blocks(); block += threads) product.compute(block);
  });
}

}  // namespace tapegrad::inline TAPEGRAD_ABI
