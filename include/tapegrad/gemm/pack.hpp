#pragma once
// Copies of B's panels, and of A's strips, which are panels of A transposed: as many columns as a tile is wide (or
// high), one short row after another, so that a tile reads memory in order whatever the layout is.

#include <algorithm>
#include <cstring>

#include "../core/simd/vec.hpp"

namespace tapegrad::inline TAPEGRAD_ABI::gemm_detail {

/// panel[k * width + j] = b[k * row_stride + j * col_stride] for k < depth and j < cols. What stands in the columns
/// from there to `width` is of no interest, but numbers it must be: subnormal ones would be slow.
struct PackWork {
  const Scalar* b;
  Index row_stride;
  Index col_stride;
  Index depth;
  Index cols;
  Scalar* panel;
  Index width;
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

/// Four numbers from each of from[0] + k, from[4] + k, from[8] + k, ..., as many as fill a vector.
template <int lanes>
TAPEGRAD_INLINE simd::Vec<Scalar, lanes> load_fours(const Scalar* const* from, Index k) {
  simd::Vec<Scalar, lanes> fours;
#if TAPEGRAD_X86 && !defined(__clang__)
  // g++ would put registers together by shuffles, which have one port; from memory there are two or more.
  typedef const Scalar Four[4];
  const auto at = [&](int i) __attribute__((always_inline))->Four& { return *reinterpret_cast<Four*>(from[i] + k); };
  if constexpr (lanes == 16) {
    asm("vmovups {%1, %x0|%x0, %1}\n\t"
        "vinsertf32x4 {$1, %2, %0, %0|%0, %0, %2, 1}\n\t"
        "vinsertf32x4 {$2, %3, %0, %0|%0, %0, %3, 2}\n\t"
        "vinsertf32x4 {$3, %4, %0, %0|%0, %0, %4, 3}"
        : "=&v"(fours.raw)
        : "m"(at(0)), "m"(at(4)), "m"(at(8)), "m"(at(12)));
    return fours;
  } else if constexpr (lanes == 8) {
    asm("vmovups {%1, %x0|%x0, %1}\n\t"
        "vinsertf128 {$1, %2, %0, %0|%0, %0, %2, 1}"
        : "=&x"(fours.raw)
        : "m"(at(0)), "m"(at(4)));
    return fours;
  }
#endif
  TAPEGRAD_UNROLL
  for (int i = 0; i < lanes; i += 4)
    std::memcpy(reinterpret_cast<Scalar*>(&fours) + i, from[i] + k, 4 * sizeof(Scalar));
  return fours;
}

/// For a B whose columns are contiguous (the weights of x·W^T): as many squares of 4 x 4 as a vector has numbers for
/// are transposed in registers at a time.
struct PackColumns {
  template <int lanes>
  static TAPEGRAD_INLINE void run(const PackWork* work) {
    const PackWork w = *work;
    const Index width = w.width;
    for (Index j = 0; j < width; j += lanes) {
      const Scalar* column[lanes];  // the last one again where there are no more
      TAPEGRAD_UNROLL
      for (int i = 0; i < lanes; ++i) column[i] = w.b + std::min<Index>(j + i, w.cols - 1) * w.col_stride;
      Scalar* to = w.panel + j;
      Index k = 0;
      for (; k + 4 <= w.depth; k += 4, to += 4 * width) {
        simd::Vec<Scalar, lanes> row[4];
        TAPEGRAD_UNROLL
        for (int i = 0; i < 4; ++i) row[i] = load_fours<lanes>(column + i, k);
        simd::transpose(row[0], row[1], row[2], row[3]);
        TAPEGRAD_UNROLL
        for (int i = 0; i < 4; ++i) row[i].store(to + i * width);
      }
      for (; k < w.depth; ++k, to += width)
        for (int i = 0; i < lanes; ++i) to[i] = column[i][k];
    }
  }
};

/// For any other B.
struct PackAny {
  template <int lanes>
  static TAPEGRAD_INLINE void run(const PackWork* work) {
    const PackWork w = *work;
    for (Index k = 0; k < w.depth; ++k)
      for (Index j = 0; j < w.width; ++j)
        w.panel[k * w.width + j] = j < w.cols ? w.b[k * w.row_stride + j * w.col_stride] : Scalar{0};
  }
};

/// For any B, by its layout.
struct PackPanel {
  template <int lanes>
  static TAPEGRAD_INLINE void run(const PackWork* work) {
    if (work->col_stride == 1)
      PackRows::run<lanes>(work);
    else if (work->row_stride == 1)
      PackColumns::run<lanes>(work);
    else
      PackAny::run<lanes>(work);
  }
};

/// For a strip of A, whose transpose has rows as short as a tile is high.
template <int height>
struct PackStrip {
  template <int lanes>
  static TAPEGRAD_INLINE void run(const PackWork* work) {
    PackPanel::run<height>(work);
  }
};

}  // namespace tapegrad::inline TAPEGRAD_ABI::gemm_detail
