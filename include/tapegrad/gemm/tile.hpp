#pragma once
// The innermost loops of the product: one tile of C in registers, written once for all instruction sets.

#include <algorithm>

#include "../core/memory.hpp"
#include "../core/simd/vec.hpp"

namespace tapegrad::inline TAPEGRAD_ABI::gemm_detail {

/// A tile is up to this many vectors wide.
inline constexpr int max_width = 3;

/// Fetches part of a matrix for the second-level cache, some of its rows at a time (or columns, if these are
/// contiguous): weights come from far, and no processor foresees such steps.
struct Fetch {
  const Scalar* next = nullptr;
  Index left = 0;  // so many rows
  Index stride = 0;
  Index length = 0;
  Index each = 0;  // rows at a time

  TAPEGRAD_INLINE void some() {
    for (Index row = std::min(each, left); row > 0; --row, --left, next += stride) {
      const Scalar* const end = next + length;
      for (const Scalar* line = next; line < end; line += 2 * detail::cache_line) {
        __builtin_prefetch(line, 0, 2);
        __builtin_prefetch(line + detail::cache_line, 0, 2);
      }
    }
  }
};

/// C (rows x cols) = start + A·B over `depth` steps of k, under a panel of B that is as wide as a tile.
struct PanelWork {
  const Scalar* a;  // (i, k) of the first strip at a[i * a_row + k * a_step]
  Index a_row;
  Index a_step;
  Index a_strip;    // from one strip to the next
  const Scalar* b;  // row k at b + k * b_step, as many whole vectors as the tile is wide
  Index b_step;
  const Scalar* start;  // row i at start + i * start_row: one row for all where start_row is 0
  Index start_row;
  Scalar* c;
  Index c_row;
  Index rows;
  Index cols;  // at most the tile's width, and less by less than a vector
  Index depth;
  Scalar* copy = nullptr;  // where tiles that copy B's rows put them, one after another
  bool fetches_c = false;  // whether to fetch the C below a tile, where the next one will write
  Fetch next_b = {};       // what to fetch meanwhile, some with each strip
};

/// One tile after another, down the rows, which leave `work` at the row after the last. A tile keeps height x width
/// vectors of C in registers. Each step of k loads `width` vectors of B, and for each of `height` rows broadcasts one
/// number of A and adds its products to the row. What it loads of B it can copy on the way: that costs next to nothing,
/// as stores are what a tile has none of.
template <int height, int width, bool copies = false>
struct Tiles {
  template <int lanes>
  static TAPEGRAD_INLINE void run(PanelWork* work) {
    using V = simd::Vec<Scalar, lanes>;
    PanelWork w = *work;
    const Index last = w.cols - (width - 1) * lanes;  // numbers in a row's last vector

    // Where a tile's rows lie in A, and in start. Beyond the last, row 0 is computed again and not stored.
    Index row[height];
    Index start_row[height];
    TAPEGRAD_UNROLL
    for (int i = 0; i < height; ++i) {
      row[i] = i * w.a_row;
      start_row[i] = i * w.start_row;
    }

    for (; w.rows > 0; w.rows -= height) {
      // Not rare at all, but where g++ takes these for often it does not align the loop over k.
      if (w.next_b.left > 0) [[unlikely]]
        w.next_b.some();
      if (w.rows < height) [[unlikely]] {
        TAPEGRAD_UNROLL
        for (int i = 1; i < height; ++i) {
          if (i >= w.rows) row[i] = start_row[i] = 0;
        }
      }

      V sum[height][width];
      TAPEGRAD_UNROLL
      for (int i = 0; i < height; ++i) {
        const Scalar* from = w.start + start_row[i];
        TAPEGRAD_UNROLL
        for (int j = 0; j < width; ++j, from += lanes)
          sum[i][j] = j < width - 1 || last == lanes ? V::load(from) : V::load(from, last);
      }

      if (w.fetches_c) {
        const Scalar* next_c = w.c + height * w.c_row;
        TAPEGRAD_UNROLL
        for (int i = 0; i < height; ++i, next_c += w.c_row) {
          TAPEGRAD_UNROLL
          for (int j = 0; j < width; ++j) __builtin_prefetch(next_c + j * lanes, 1);
        }
      }

      const Scalar* a = w.a;
      const Scalar* b = w.b;
      [[maybe_unused]] Scalar* copy = w.copy;
      // By two: fewer jumps, and otherwise g++ moves registers about in every step.
      TAPEGRAD_UNROLL_TWICE
      for (Index k = 0; k < w.depth; ++k) {
        V b_row[width];
        TAPEGRAD_UNROLL
        for (int j = 0; j < width; ++j) b_row[j] = V::load(b + j * lanes);
        if constexpr (copies) {
          TAPEGRAD_UNROLL
          for (int j = 0; j < width; ++j, copy += lanes) b_row[j].store(copy);
        }
        TAPEGRAD_UNROLL
        for (int i = 0; i < height; ++i) {
          const V a_number = V::all(a[row[i]]);
          TAPEGRAD_UNROLL
          for (int j = 0; j < width; ++j) sum[i][j] = fma(a_number, b_row[j], sum[i][j]);
        }
        a += w.a_step;
        b += w.b_step;
      }

      TAPEGRAD_UNROLL
      for (int i = 0; i < height; ++i) {
        if (i >= w.rows) break;
        Scalar* to = w.c + i * w.c_row;
        TAPEGRAD_UNROLL
        for (int j = 0; j < width; ++j, to += lanes) {
          if (j < width - 1 || last == lanes)
            sum[i][j].store(to);
          else
            sum[i][j].store(to, last);
        }
      }
      w.a += w.a_strip;
      w.c += height * w.c_row;
      w.start += height * w.start_row;
    }
    *work = w;
  }
};

}  // namespace tapegrad::inline TAPEGRAD_ABI::gemm_detail
