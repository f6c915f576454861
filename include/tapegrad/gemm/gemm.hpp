#pragma once
// C = start + A·B, the library's hot path.
//
// The contract: every element of C starts at zero, at its column's entry of a bias row, or at what C holds, and is then
// one chain of fused multiply-adds over k in ascending order. There is no alpha and no other beta. So the result, to
// the bit, depends neither on blocking nor on threads nor on the instruction set.

#include <algorithm>
#include <limits>

#include "../core/parallel.hpp"
#include "kernel.hpp"

namespace tapegrad::inline TAPEGRAD_ABI {

/// A matrix somewhere in memory: element (i, j) is data[i * row_stride + j * col_stride].
template <class T>
struct Strided {
  T* data;
  Index rows;
  Index cols;
  Index row_stride;
  Index col_stride = 1;

  Strided transposed() const { return {data, cols, rows, col_stride, row_stride}; }
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

namespace gemm_detail {

/// Steps of k that a panel of B spans: a panel is at most 192 x 48 floats, 36 KB of the first-level cache, while all
/// rows of A pass by; and C is read and written once in 192 steps.
constexpr Index max_depth = 192;
/// Rows of C up to which B is read as it lies: copying a panel costs as much as multiplying about 8 rows by it.
constexpr Index max_direct_rows = 64;
/// Multiplications that are worth another thread: some microseconds' work.
constexpr Index thread_work = 1 << 18;

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

/// One product, cut into blocks of C that threads may compute in any order.
class Product {
 public:
  Product(const ConstStridedMatrix& a, const ConstStridedMatrix& b, const StridedMatrix& c, const GemmStart& start)
      : kernel_(kernel()), a_(a), b_(b), c_(c), start_(start) {
    // Of all ways to cut C for this many threads, the one whose largest block costs least, packing included.
    const Index threads = std::clamp<Index>(c.rows * c.cols * a.cols / thread_work, 1, num_threads());
    Index least = std::numeric_limits<Index>::max();
    for (Index rows = 1; rows <= threads; ++rows) {
      const Index cols = threads / rows;
      const Index height = part_of(c.rows, kernel_.height, rows - 1, rows).size();
      const Index width = part_of(c.cols, kernel_.lanes, cols - 1, cols).size();
      const Index cost = (height + 8) * width;
      if (cost < least) {
        least = cost;
        blocks_down_ = rows;
        blocks_across_ = cols;
      }
    }
  }

  Index blocks() const { return blocks_down_ * blocks_across_; }

  void compute(Index block) const {
    const Range rows = part_of(c_.rows, kernel_.height, block / blocks_across_, blocks_down_);
    const Range cols = part_of(c_.cols, kernel_.lanes, block % blocks_across_, blocks_across_);
    const Index depths = std::max<Index>(1, (a_.cols + max_depth - 1) / max_depth);
    for (Index i = 0; i < depths; ++i) {
      const Range depth = part_of(a_.cols, 1, i, depths);
      for (Index j = cols.begin; j < cols.end;) {
        // Three vectors of columns at a time; two and two where four are left, for three and one take longer.
        const Index vectors = (cols.end - j + kernel_.lanes - 1) / kernel_.lanes;
        const Index width = vectors == 4 ? 2 : std::min<Index>(vectors, max_width);
        const Index end = std::min(cols.end, j + width * kernel_.lanes);
        panel(rows, {j, end}, depth, width);
        j = end;
      }
    }
  }

 private:
  /// The rows of C under one panel of B.
  void panel(Range rows, Range cols, Range depth, Index width) const {
    alignas(64) Scalar packed[max_depth * max_width * max_lanes];
    const Index numbers = width * kernel_.lanes;
    TileWork work;
    work.b = b_.data + depth.begin * b_.row_stride + cols.begin * b_.col_stride;
    work.b_step = b_.row_stride;
    if (b_.col_stride != 1 || cols.size() != numbers || rows.size() > max_direct_rows) {
      const PackWork pack{work.b, b_.row_stride, b_.col_stride, depth.size(), cols.size(), packed, numbers};
      (b_.col_stride == 1 ? kernel_.pack_rows : b_.row_stride == 1 ? kernel_.pack_columns : kernel_.pack_any)(&pack);
      work.b = packed;
      work.b_step = numbers;
    }
    work.a_row = a_.row_stride;
    work.a_step = a_.col_stride;
    work.c_row = c_.row_stride;
    work.cols = cols.size();
    work.depth = depth.size();
    for (Index i = rows.begin; i < rows.end; i += kernel_.height) {
      work.rows = std::min<Index>(kernel_.height, rows.end - i);
      work.a = a_.data + i * a_.row_stride + depth.begin * a_.col_stride;
      work.c = c_.data + i * c_.row_stride + cols.begin;
      start_at(work, cols, depth);
      kernel_.tile[2 * work.rows > kernel_.height][width - 1](&work);
    }
  }

  void start_at(TileWork& work, Range cols, Range depth) const {
    alignas(64) static constexpr Scalar zeros[max_width * max_lanes] = {};
    const bool from_c = depth.begin > 0 || start_.from == GemmStart::From::c;
    work.start_row = from_c ? c_.row_stride : 0;
    work.start = from_c ? work.c : start_.from == GemmStart::From::bias ? start_.bias_row + cols.begin : zeros;
  }

  const Kernel& kernel_;
  const ConstStridedMatrix& a_;
  const ConstStridedMatrix& b_;
  const StridedMatrix& c_;
  const GemmStart& start_;
  Index blocks_down_ = 1;
  Index blocks_across_ = 1;
};

}  // namespace gemm_detail

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
