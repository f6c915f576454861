#pragma once
// Copies of B's panels: as many columns as a tile is wide, one short row after another, so that a tile reads memory in
// order whatever B's layout is. The columns that a panel lacks are filled with 0.

#include <algorithm>

#include "../core/simd/vec.hpp"

namespace tapegrad::inline TAPEGRAD_ABI::gemm_detail {

/// panel[k * width + j] = b[k * row_stride + j * col_stride] for k < depth and j < cols; 0 for cols <= j < width.
struct PackWork {
  const Scalar* b;
  Index row_stride;
  Index col_stride;
  Index depth;
  Index cols;
  Scalar* panel;
  Index width;  // a multiple of the kernel's lanes

  TAPEGRAD_INLINE void one_by_one(Index k_begin, Index k_end, Index j_begin, Index j_end) const {
    for (Index k = k_begin; k < k_end; ++k)
      for (Index j = j_begin; j < j_end; ++j)
        panel[k * width + j] = j < cols ? b[k * row_stride + j * col_stride] : Scalar{0};
  }
};

/// For a B whose rows are contiguous.
struct PackRows {
  template <int lanes>
  static TAPEGRAD_INLINE void run(const PackWork* work) {
    using V = simd::Vec<Scalar, lanes>;
    const PackWork w = *work;
    const Index whole = w.cols - w.cols % lanes;
    for (Index k = 0; k < w.depth; ++k) {
      const Scalar* from = w.b + k * w.row_stride;
      Scalar* to = w.panel + k * w.width;
      for (Index j = 0; j < whole; j += lanes) V::load(from + j).store(to + j);
      if (whole < w.cols) V::load(from + whole, w.cols - whole).store(to + whole);
    }
  }
};

/// For a B whose columns are contiguous (the weights of x·W^T): square blocks are transposed in registers.
struct PackColumns {
  template <int lanes>
  static TAPEGRAD_INLINE void run(const PackWork* work) {
    constexpr int side = lanes < 8 ? lanes : 8;  // shuffles of 512 bits have one port, of 256 bits two
    using V = simd::Vec<Scalar, side>;
    const PackWork w = *work;
    for (Index j = 0; j < w.width; j += side) {
      const auto column = [&](int i) __attribute__((always_inline)) { return w.b + (j + i) * w.col_stride; };
      const Index cols = w.cols - j;  // there may be fewer than a block has, or none
      Index k = 0;
      for (; k + side <= w.depth; k += side) {
        V block[side];
        TAPEGRAD_UNROLL
        for (int i = 0; i < side; ++i) block[i] = i < cols ? V::load(column(i) + k) : V::zero();
        simd::transpose(block);
        TAPEGRAD_UNROLL
        for (int i = 0; i < side; ++i) block[i].store(w.panel + (k + i) * w.width + j);
      }
      w.one_by_one(k, w.depth, j, j + side);
    }
  }
};

/// For any other B.
struct PackAny {
  template <int lanes>
  static TAPEGRAD_INLINE void run(const PackWork* work) {
    work->one_by_one(0, work->depth, 0, work->width);
  }
};

}  // namespace tapegrad::inline TAPEGRAD_ABI::gemm_detail
