#pragma once
// The innermost loops of the product: one tile of C in registers, written once for all instruction sets.

#include <algorithm>

#include "../core/memory.hpp"
#include "../core/simd/vec.hpp"

namespace tapegrad::inline TAPEGRAD_ABI::gemm_detail {

/// The widest vector.
inline constexpr int max_lanes = 16;
/// A tile is up to this many vectors wide.
inline constexpr int max_width = 3;

/// Fetches part of a matrix for the second-level cache, row by row (or column by column, if these are contiguous), some
/// pieces at a time: weights come from far, and no processor foresees such steps.
struct Fetch {
  const Scalar* next = nullptr;
  Index left = 0;  // so many rows
  Index stride = 0;
  Index length = 0;
  Index each = 0;     // pieces at a time
  Index fetched = 0;  // numbers of this row

  template <Index piece>
  TAPEGRAD_INLINE void some() {
    for (Index i = each; i > 0 && left > 0; --i) {
      TAPEGRAD_UNROLL
      for (Index line = 0; line < piece; line += detail::cache_line) __builtin_prefetch(next + fetched + line, 0, 2);
      fetched += piece;
      if (fetched >= length) {
        fetched = 0;
        next += stride;
        --left;
      }
    }
  }
};

/// Whether tiles fetch beside their multiplications: some lines, so many steps of k, some more lines. A processor has
/// but a dozen lines or so under way at a time, and stops at the next. Where steps are short, as they are without
/// AVX-512, what it takes to look for lines costs more than such stops, and a tile fetches all of its share at first.
constexpr bool fetches_beside(int lanes) { return lanes == max_lanes; }
inline constexpr Index fetch_steps = 8;
/// What is fetched at a time: a line, or a whole row of a panel.
constexpr Index fetch_piece(int lanes) { return fetches_beside(lanes) ? detail::cache_line : max_width * lanes; }

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
  Scalar* copy = nullptr;           // where tiles that copy B's rows put them, one after another
  bool fetches_c = false;           // whether to fetch the C that the next tile will write
  const Scalar* c_after = nullptr;  // which is here after the last tile
  Fetch next_b = {};                // what else to fetch
};

/// One tile after another, down the rows, which leave `work` at the row after the last. A tile keeps height x width
/// vectors of C in registers. Each step of k loads `width` vectors of B, and for each of `height` rows broadcasts one
/// number of A and adds its products to the row. What it loads of B it can copy on the way: that costs next to nothing,
/// as stores are what a tile has none of; such tiles are for whole panels. Where A's rows lie side by side (a_row is
/// 1), the way from one to the next is a constant; such tiles are for whole strips.
template <int height, int width, bool side_by_side = false, bool copies = false>
struct Tiles {
  template <int lanes>
  static TAPEGRAD_INLINE void run(PanelWork* work) {
    using V = simd::Vec<Scalar, lanes>;
    PanelWork w = *work;
    const Index last = copies ? lanes : w.cols - (width - 1) * lanes;  // numbers in a row's last vector
    // Where A's columns are contiguous (g^T), each step takes another line, which is fetched 16 steps before; not for
    // few steps, where too many of those would lie beyond the last.
    [[maybe_unused]] const Index a_ahead = w.a_row == 1 && w.depth >= 64 ? 16 * w.a_step : 0;
    [[maybe_unused]] const Index c_rows_each = 1 + height * fetch_steps / (w.depth + 1);

    // Where a tile's rows lie in A, and in start. Beyond the last, row 0 is computed again and not stored.
    Index row[height];
    Index start_row[height];
    TAPEGRAD_UNROLL
    for (int i = 0; i < height; ++i) {
      row[i] = i * w.a_row;
      start_row[i] = i * w.start_row;
    }

    for (; w.rows > 0; w.rows -= height) {
      if (!side_by_side && w.rows < height) [[unlikely]] {
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

      const Scalar* next_c = w.rows > height ? w.c + height * w.c_row : w.c_after;
      Index next_c_rows = w.fetches_c ? height : 0;
      const auto fetch = [&](Index c_rows) __attribute__((always_inline)) {
        // Not rare at all, but where g++ takes these for often it does not align the loop over k.
        if (w.next_b.left > 0) [[unlikely]]
          w.next_b.template some<fetch_piece(lanes)>();
        if (next_c_rows > 0) [[unlikely]] {
          for (Index i = std::min(c_rows, next_c_rows); i > 0; --i, --next_c_rows, next_c += w.c_row) {
            TAPEGRAD_UNROLL
            for (int j = 0; j < width; ++j) __builtin_prefetch(next_c + j * lanes, 1);
            // A row may end in another line, if C's rows are of no whole ones.
            if (fetches_beside(lanes) && w.c_row % detail::cache_line != 0)
              __builtin_prefetch(next_c + width * lanes - 1, 1);
          }
        }
      };

      const Scalar* a = w.a;
      const Scalar* b = w.b;
      [[maybe_unused]] Scalar* copy = w.copy;
      const auto multiply = [&](Index steps) __attribute__((always_inline)) {
        // By two: fewer jumps, and otherwise g++ moves registers about in every step.
        TAPEGRAD_UNROLL_TWICE
        for (Index k = 0; k < steps; ++k) {
          V b_row[width];
          TAPEGRAD_UNROLL
          for (int j = 0; j < width; ++j) b_row[j] = V::load(b + j * lanes);
          if constexpr (copies) {
            TAPEGRAD_UNROLL
            for (int j = 0; j < width; ++j, copy += lanes) b_row[j].store(copy);
          }
          TAPEGRAD_UNROLL
          for (int i = 0; i < height; ++i) {
            if (side_by_side && i % 2 == 1) {
              TAPEGRAD_UNROLL
              for (int j = 0; j < width; ++j) sum[i][j] = fma(a + i, b_row[j], sum[i][j]);
            } else {
              const V a_number = V::all(a[side_by_side ? i : row[i]]);
              TAPEGRAD_UNROLL
              for (int j = 0; j < width; ++j) sum[i][j] = fma(a_number, b_row[j], sum[i][j]);
            }
          }
          if constexpr (!side_by_side && fetches_beside(lanes)) __builtin_prefetch(a + a_ahead);
          a += w.a_step;
          b += w.b_step;
        }
      };

      if constexpr (fetches_beside(lanes)) {
        const Index steps = w.fetches_c || w.next_b.left > 0 ? fetch_steps : w.depth;
        for (Index left = w.depth; left > 0; left -= steps) {
          fetch(c_rows_each);
          multiply(std::min(left, steps));
        }
      } else {
        fetch(height);
        multiply(w.depth);
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
    // Only what has changed. With a copy of the whole, g++ also reads `work` by whole vectors, and these wait until all
    // that was stored before, C too, is in the cache.
    work->a = w.a;
    work->start = w.start;
    work->c = w.c;
    work->rows = w.rows;
    work->next_b.next = w.next_b.next;
    work->next_b.left = w.next_b.left;
    work->next_b.fetched = w.next_b.fetched;
  }
};

}  // namespace tapegrad::inline TAPEGRAD_ABI::gemm_detail
