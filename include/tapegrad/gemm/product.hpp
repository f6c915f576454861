#pragma once
// How a product is cut: into blocks of C for threads; these into steps of depth and strips of rows; these into panels
// of B's columns; these into tiles.

#include <algorithm>
#include <limits>

#include "../core/parallel.hpp"
#include "kernel.hpp"
#include "matrix.hpp"

namespace tapegrad::inline TAPEGRAD_ABI::gemm_detail {

/// Steps of k in one go: C is read and written once in so many. A panel of B is then at most 264 x 48 floats, 50 KB,
/// which comes from the first-level cache or in order from the second. (264 takes MNIST's 784 pixels in three.)
inline constexpr Index max_depth = 264;
/// Rows in one go: that much of A, 540 KB, stays in the second-level cache while all panels of B pass by.
inline constexpr Index max_rows = 512;
/// Times a vector's lanes: for up to so many rows, B is read as it lies. A panel's copy costs as much as multiplying
/// about 8 rows by it, but the narrower a panel is, the more of each cache line it leaves.
inline constexpr Index direct_rows = 8;
inline constexpr Index pack_cost = 8;
/// From so many rows on, a panel takes long enough for the next one to be fetched meanwhile.
inline constexpr Index min_fetch_rows = 64;
inline constexpr Index cache_line = 64 / sizeof(Scalar);
/// Multiplications that are worth another thread: some microseconds' work.
inline constexpr Index thread_work = 1 << 18;

struct Range {
  Index begin;
  Index end;
  Index size() const { return end - begin; }
};

/// Part `part` of `parts` nearly equal ones of 0 .. size, which begin at multiples of `unit`.
inline Range part_of(Index size, Index unit, Index part, Index parts) {
  const Index units = (size + unit - 1) / unit;
  return {units * part / parts * unit, std::min(size, units * (part + 1) / parts * unit)};
}

/// One product. Its blocks may be computed in any order, on any threads.
class Product {
 public:
  Product(const ConstStridedMatrix& a, const ConstStridedMatrix& b, const StridedMatrix& c, const GemmStart& start)
      : kernel_(kernel()), a_(a), b_(b), c_(c), start_(start) {
    // Of all ways to cut C for this many threads, the one whose largest block costs least.
    const Index threads = std::clamp<Index>(c.rows * c.cols * a.cols / thread_work, 1, num_threads());
    Index least = std::numeric_limits<Index>::max();
    for (Index down = 1; down <= threads; ++down) {
      const Index across = threads / down;
      const Index rows = part_of(c.rows, kernel_.height, down - 1, down).size();
      const Index cols = part_of(c.cols, kernel_.lanes, across - 1, across).size();
      const Index cost = (rows + pack_cost) * cols;
      if (cost < least) {
        least = cost;
        blocks_down_ = down;
        blocks_across_ = across;
      }
    }
  }

  Index blocks() const { return blocks_down_ * blocks_across_; }

  void compute(Index block) const {
    const Range rows = part_of(c_.rows, kernel_.height, block / blocks_across_, blocks_down_);
    const Range cols = part_of(c_.cols, kernel_.lanes, block % blocks_across_, blocks_across_);
    const Index depths = std::max<Index>(1, (a_.cols + max_depth - 1) / max_depth);
    for (Index part = 0; part < depths; ++part) {
      const Range depth = part_of(a_.cols, 1, part, depths);
      for (Index i = rows.begin; i < rows.end; i += max_rows) {
        const Range strip{i, std::min(rows.end, i + max_rows)};
        for (Range panel = panel_at(cols.begin, cols.end); panel.size() > 0;) {
          const Range next = panel_at(panel.end, cols.end);
          multiply(strip, panel, next, depth);
          panel = next;
        }
      }
    }
  }

 private:
  /// The columns of the panel that begins there: three vectors, but two and two where four are left, as three and one
  /// take longer.
  Range panel_at(Index begin, Index end) const {
    const Index vectors = (end - begin + kernel_.lanes - 1) / kernel_.lanes;
    const Index width = vectors == 4 ? 2 : std::min<Index>(vectors, max_width);
    return {begin, std::min(end, begin + width * kernel_.lanes)};
  }

  /// The rows of C under a panel of B.
  void multiply(Range rows, Range cols, Range next_cols, Range depth) const {
    alignas(64) Scalar packed[max_depth * max_width * max_lanes];
    const Index width = (cols.size() + kernel_.lanes - 1) / kernel_.lanes;
    const Index numbers = width * kernel_.lanes;
    TileWork work;
    work.b = b_.data + depth.begin * b_.row_stride + cols.begin * b_.col_stride;
    work.b_step = b_.row_stride;
    // What to fetch for the next panel, some of its rows with each tile: weights come from far, and no processor
    // foresees such steps. (Packs read in order; and there is time for it only with many rows.)
    const Scalar* next_row = work.b + cols.size();
    Index next_rows = rows.size() >= min_fetch_rows ? depth.size() : 0;
    if (b_.col_stride != 1 || cols.size() != numbers || rows.size() > direct_rows * kernel_.lanes) {
      kernel_.pack({work.b, b_.row_stride, b_.col_stride, depth.size(), cols.size(), packed, numbers});
      work.b = packed;
      work.b_step = numbers;
      next_rows = 0;
    }
    const Index rows_for_tile = next_rows * kernel_.height / rows.size() + 1;
    alignas(64) static constexpr Scalar zeros[max_width * max_lanes] = {};
    const bool from_c = depth.begin > 0 || start_.from == GemmStart::From::c;
    const Scalar* first = start_.from == GemmStart::From::bias ? start_.bias_row + cols.begin : zeros;
    work.a_row = a_.row_stride;
    work.a_step = a_.col_stride;
    work.c_row = c_.row_stride;
    work.start_row = from_c ? c_.row_stride : 0;
    work.cols = cols.size();
    work.depth = depth.size();
    for (Index i = rows.begin; i < rows.end; i += kernel_.height) {
      work.a = a_.data + i * a_.row_stride + depth.begin * a_.col_stride;
      work.c = c_.data + i * c_.row_stride + cols.begin;
      work.start = from_c ? work.c : first;
      work.rows = std::min<Index>(kernel_.height, rows.end - i);
      for (Index left = std::min(next_rows, rows_for_tile); left > 0; --left, --next_rows, next_row += b_.row_stride)
        for (Index x = 0; x < next_cols.size(); x += cache_line) __builtin_prefetch(next_row + x, 0, 2);
      kernel_.tile[2 * work.rows > kernel_.height][width - 1](&work);
    }
  }

  const Kernel& kernel_;
  const ConstStridedMatrix& a_;
  const ConstStridedMatrix& b_;
  const StridedMatrix& c_;
  const GemmStart& start_;
  Index blocks_down_ = 1;
  Index blocks_across_ = 1;
};

}  // namespace tapegrad::inline TAPEGRAD_ABI::gemm_detail
