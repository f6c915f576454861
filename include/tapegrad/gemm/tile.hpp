#pragma once
// The innermost loops of the product: one tile of C in registers, written once for all instruction sets.

#include <algorithm>

#include "../core/simd/vec.hpp"

namespace tapegrad::inline TAPEGRAD_ABI::gemm_detail {

/// A tile is up to this many vectors wide.
inline constexpr int max_width = 3;

/// C (rows x cols) = start + A·B over `depth` steps of k.
struct TileWork {
  const Scalar* a;  // (i, k) at a[i * a_row + k * a_step]
  Index a_row;
  Index a_step;
  const Scalar* b;  // row k at b + k * b_step, as many whole vectors as the tile is wide
  Index b_step;
  const Scalar* start;  // row i at start + i * start_row: one row for all where start_row is 0
  Index start_row;
  Scalar* c;
  Index c_row;
  Index rows;  // at most the tile's height
  Index cols;  // at most its width, and less by less than a vector
  Index depth;
  Scalar* copy;  // where a tile that copies B's rows puts them, one after another
  bool fetch;    // whether to fetch the C below, where the tile's successor will write
};

/// Keeps height x width vectors of C in registers. Each step of k loads `width` vectors of B, and for each of `height`
/// rows broadcasts one number of A and adds its products to the row. What it loads of B it can copy on the way: that
/// costs next to nothing, as stores are what a tile has none of.
template <int height, int width, bool copies = false>
struct Tile {
  template <int lanes>
  static TAPEGRAD_INLINE void run(const TileWork* work) {
    using V = simd::Vec<Scalar, lanes>;
    const TileWork w = *work;
    // Rows beyond the last compute row 0 again and are not stored.
    const auto in_range = [&](int i) __attribute__((always_inline)) { return i < w.rows ? i : 0; };

    const Index last = w.cols - (width - 1) * lanes;  // numbers in a row's last vector

    V sum[height][width];
    TAPEGRAD_UNROLL
    for (int i = 0; i < height; ++i) {
      const Scalar* from = w.start + in_range(i) * w.start_row;
      TAPEGRAD_UNROLL
      for (int j = 0; j < width; ++j, from += lanes)
        sum[i][j] = j < width - 1 || last == lanes ? V::load(from) : V::load(from, last);
    }

    Index row[height];
    TAPEGRAD_UNROLL
    for (int i = 0; i < height; ++i) row[i] = in_range(i) * w.a_row;
    const Scalar* a = w.a;
    const Scalar* b = w.b;
    [[maybe_unused]] Scalar* copy = w.copy;
    const Scalar* next_c = w.c + height * w.c_row;
    const Index piece = w.fetch ? (w.depth + height - 1) / height : w.depth;  // a row of the C below with each
    for (Index left = w.depth; left > 0; left -= piece) {
      if (w.fetch) {
        TAPEGRAD_UNROLL
        for (int j = 0; j < width; ++j) __builtin_prefetch(next_c + j * lanes, 1);
        next_c += w.c_row;
      }
      const Index steps = std::min(left, piece);
      TAPEGRAD_UNROLL_TWICE  // or g++ moves registers about in every step
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
          const V a_number = V::all(a[row[i]]);
          TAPEGRAD_UNROLL
          for (int j = 0; j < width; ++j) sum[i][j] = fma(a_number, b_row[j], sum[i][j]);
        }
        a += w.a_step;
        b += w.b_step;
      }
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
  }
};

}  // namespace tapegrad::inline TAPEGRAD_ABI::gemm_detail
