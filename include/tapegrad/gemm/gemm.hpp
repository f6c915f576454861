#pragma once
// C = start + A·B, the library's hot path.
//
// The contract: every element of C starts at zero, at its column's entry of a bias row, or at what C holds, and is then
// one chain of fused multiply-adds over k in ascending order. There is no alpha and no other beta. So the result, to
// the bit, depends neither on blocking nor on threads, nor on which of AVX2 and AVX-512 is used. (Portable kernels
// round products too, where the compiler's flags have no fused multiply-add.)

#include "matrix.hpp"

namespace tapegrad::inline TAPEGRAD_ABI {

/// C = start + A·B for A (m, k), B (k, n), C (m, n). Transposed operands are strides: `b.transposed()`. C overlaps
/// neither operand. Throws ShapeError where the sizes do not agree, or C's col_stride is not 1, ValueError for a bias
/// that is a null pointer.
void gemm(ConstStridedMatrix a, ConstStridedMatrix b, StridedMatrix c, GemmStart start = GemmStart::zero());
/// Two such products, for which threads are forked once. Neither's C overlaps an operand of the other, nor the other's
/// C; but it may be the same for products of the same sizes, the first of which is then computed first.
void gemm(GemmTask first, GemmTask second);

}  // namespace tapegrad::inline TAPEGRAD_ABI

#ifndef TAPEGRAD_COMPILED
#include "compute.hpp"
#endif
