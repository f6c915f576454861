#pragma once
// How a product is cut: into blocks of C for threads; these into parts of k's depth, panels of B's columns and strips
// of A's rows; and where a strip meets a panel is a tile.

#include <algorithm>
#include <limits>

#include "../core/memory.hpp"
#include "../core/parallel.hpp"
#include "gemm.hpp"
#include "kernel.hpp"

namespace tapegrad::inline TAPEGRAD_ABI::gemm_detail {

/// Steps of k in one go: C is read and written once in so many. A panel of B is then at most 272 x 48 floats, 52 KB,
/// which comes from the first-level cache or in order from the second. (272 takes MNIST's 784 pixels in three, each of
/// whole cache lines.)
inline constexpr Index max_depth = 272;
static_assert(max_depth % detail::cache_line == 0, "k is cut at cache lines, and a panel's copy holds max_depth");
/// Numbers of A in one go, rows times steps: 400 KB stay in a second-level cache of 512 KB while all panels of B pass
/// by.
inline constexpr Index max_part = 100 << 10;
/// A panel of a B with contiguous rows is copied only where that pays: for more rows of C than this times a vector's
/// lanes (a narrow panel uses little of each cache line it loads, so there a copy pays sooner), and for more steps of k
/// than direct_depth, as a shorter panel stays in the first-level cache anyway.
inline constexpr Index direct_rows = 4;
inline constexpr Index direct_depth = 32;
/// A panel's way to a thread, and into its copy, costs as much as multiplying about so many rows by it; and a strip's
/// way as much as multiplying it by so many columns.
inline constexpr Index way_cost = 8;
/// In a tile of fewer steps times rows, fetching C takes as long as it saves.
inline constexpr Index min_fetch_work = 128;
/// Strips of A are packed if they have at least so many steps of k, and enough panels of B make up for it. Where the
/// numbers of a row do not lie side by side, that is from so many panels on:
inline constexpr Index min_strip_depth = 64;
inline constexpr Index scattered_panels = 4;
/// Where rows are spread, min_spread numbers (a megabyte) or more from the first to the last, caches and page tables
/// keep less of them than of one piece of memory; that costs less than the other, so it pays from more panels on.
inline constexpr Index spread_panels = 20;
inline constexpr Index min_spread = 1 << 18;
/// Where rows lie near, the kernel says from how many panels on it pays, if A's part has so many numbers: fewer stay in
/// the first-level cache as they lie.
inline constexpr Index min_near = 1 << 13;
/// What a cache line that two threads write to costs, in multiplications.
inline constexpr Index shared_line = 1000;
/// Multiplications that are worth another thread: some microseconds' work.
inline constexpr Index thread_work = 1 << 17;
/// Blocks for each processor, however many threads are asked for: more would only take room.
inline constexpr Index processor_blocks = 8;

struct Range {
  Index begin;
  Index end;
  Index size() const { return end - begin; }
};

/// Part `part` of `parts` nearly equal ones, which begin at multiples of `unit` from the whole's beginning; past the
/// last there is an empty one.
inline Range part_of(Range whole, Index unit, Index part, Index parts) {
  const Index units = detail::divide_up(whole.size(), unit);
  const auto at = [&](Index p) { return std::min(whole.end, whole.begin + units * p / parts * unit); };
  return {at(part), at(part + 1)};
}

/// The size of the largest of those parts: the last one or, if that ends within a unit, maybe one of whole units.
inline Index largest_part(Index size, Index unit, Index parts) {
  const Index whole_units = size / unit;
  return std::max(part_of({0, size}, unit, parts - 1, parts).size(), detail::divide_up(whole_units, parts) * unit);
}

/// One product. Its blocks may be computed in any order, on any threads.
class Product {
 public:
  explicit Product(const GemmTask& task) : kernel_(kernel()), a_(task.a), b_(task.b), c_(task.c), start_(task.start) {
    const auto& [a, b, c, start] = task;
    // Of all ways to cut C for this many threads, the one whose largest block costs least. Whole rows come first, and
    // others must be better by a little: what a thread has written it should also be the one to read, and elementwise
    // loops take runs of whole rows (gradients and weights in an optimizer's step).
    const Index threads =
        std::clamp<Index>(pieces(), 1, std::min(Index{num_threads()}, processor_blocks * detail::processors()));
    Index least = std::numeric_limits<Index>::max();
    for (Index down = threads; down >= 1; --down) {
      const Index across = threads / down;
      const Index rows = largest_part(c.rows, kernel_.height, down);
      const Index cols = largest_part(c.cols, kernel_.lanes, across);
      const Index shared_lines = across > 1 && c.row_stride % detail::cache_line != 0 ? rows : 0;
      const Index cost = (rows + way_cost) * (cols + way_cost) * a.cols + shared_lines * shared_line;
      if (cost < least - least / 64) {
        least = cost;
        blocks_down_ = down;
        blocks_across_ = across;
      }
    }
  }

  Index blocks() const { return blocks_down_ * blocks_across_; }
  /// How many blocks need room for copies of A.
  Index rooms() const { return a_.cols >= min_strip_depth ? blocks() : 0; }
  /// How much work it is, in units of some microseconds.
  Index pieces() const { return c_.rows * c_.cols * a_.cols / thread_work; }

  /// Computes every block whose number is `thread` modulo `threads`, with that room for copies.
  void compute(Index thread, Index threads, Scalar* room) const {
    for (Index block = thread; block < blocks(); block += threads) compute_block(block, room);
  }

 private:
  void compute_block(Index block, Scalar* room) const {
    const Range rows = part_of({0, c_.rows}, kernel_.height, block / blocks_across_, blocks_down_);
    const Range cols = part_of({0, c_.cols}, kernel_.lanes, block % blocks_across_, blocks_across_);
    const Range first_cols = panel_cols(cols.begin, cols.end);
    const Index depths = std::max<Index>(1, detail::divide_up(a_.cols, max_depth));
    const auto depth_of = [&](Index part) { return part_of({0, a_.cols}, detail::cache_line, part, depths); };
    for (Index part = 0; part < depths; ++part) {
      const Range depth = depth_of(part);
      const Index most_rows = max_part / std::max<Index>(depth.size(), 1) / kernel_.height * kernel_.height;
      const Index goes = detail::divide_up(rows.size(), most_rows);
      for (Index go = 0; go < goes; ++go) {
        const Range some_rows = part_of(rows, kernel_.height, go, goes);
        const Strips strips = strips_of_a(room, block, some_rows, depth, cols.size());
        const Panel after_last{first_cols, go + 1 < goes ? depth : depth_of(part + 1)};
        for (Panel panel{first_cols, depth}; panel.cols.size() > 0;) {
          const Panel next{panel_cols(panel.cols.end, cols.end), depth};
          multiply(strips, some_rows, panel, next.cols.size() > 0 ? next : after_last);
          panel = next;
        }
      }
    }
  }

  /// Strips of A: number k of row i of strip s is first[s * strip + i * row + k * step].
  struct Strips {
    const Scalar* first;
    Index strip;
    Index row;
    Index step;
    bool side_by_side;  // for the tiles of that name
  };

  /// Part of B.
  struct Panel {
    Range cols;
    Range depth;
  };

  /// The columns of the panel that begins there: three vectors, but two and two where four are left, as three and one
  /// take longer.
  Range panel_cols(Index begin, Index end) const {
    const Index vectors = detail::divide_up<Index>(end - begin, kernel_.lanes);
    const Index width = vectors == 4 ? 2 : std::min<Index>(vectors, max_width);
    return {begin, std::min(end, begin + width * kernel_.lanes)};
  }

  /// The strips of that part of A as they lie; or packed into the block's room, where enough panels of B make up for
  /// it. Rows that lie side by side anyway (g^T) are as good as packed for few steps of k; for more, the other tiles
  /// fetch A.
  Strips strips_of_a(Scalar* room, Index block, Range rows, Range depth, Index cols) const {
    const Index height = kernel_.height;
    const Scalar* const first = a_.at(rows.begin, depth.begin);
    if (depth.size() < min_strip_depth || cols / (max_width * kernel_.lanes) < strip_panels(rows, depth))
      return {first, height * a_.row_stride, a_.row_stride, a_.col_stride,
              a_.row_stride == 1 && depth.size() < min_strip_depth};
    Scalar* const copy = room + block * max_part;
    for (Index i = 0; i < rows.size(); i += height) {
      const PackWork work{first + i * a_.row_stride,         a_.col_stride,           a_.row_stride, depth.size(),
                          std::min(height, rows.size() - i), copy + i * depth.size(), height};
      kernel_.pack_strip(&work);
    }
    return {copy, height * depth.size(), 1, height, true};
  }

  /// The number of panels from which packing these strips pays.
  Index strip_panels(Range rows, Range depth) const {
    constexpr Index never = std::numeric_limits<Index>::max();
    if (a_.col_stride != 1) return a_.row_stride == 1 ? scattered_panels : never;
    const Index near = rows.size() * depth.size() >= min_near ? kernel_.pays_from.near_panels : never;
    return rows.size() * a_.row_stride >= min_spread ? std::min(near, spread_panels) : near;
  }

  /// The rows of C under a panel of B. The one after it is fetched meanwhile.
  void multiply(const Strips& strips, Range rows, const Panel& panel, const Panel& next) const {
    const auto [cols, depth] = panel;
    alignas(64) Scalar copy[max_depth * max_width * max_lanes];
    alignas(64) static constexpr Scalar zeros[max_width * max_lanes] = {};
    const bool from_c = depth.begin > 0 || start_.from == GemmStart::From::c;
    const Scalar* const first_row = start_.from == GemmStart::From::bias ? start_.bias_row + cols.begin : zeros;
    Scalar* const c = c_.at(rows.begin, cols.begin);
    const Scalar* const c_after = c_.at(rows.begin, next.cols.begin);
    PanelWork work{
        .a = strips.first,
        .a_row = strips.row,
        .a_step = strips.step,
        .a_strip = strips.strip,
        .b = b_.at(depth.begin, cols.begin),
        .b_step = b_.row_stride,
        .start = from_c ? c : first_row,
        .start_row = from_c ? c_.row_stride : 0,
        .c = c,
        .c_row = c_.row_stride,
        .rows = rows.size(),
        .cols = cols.size(),
        .depth = depth.size(),
        .copy = copy,
        .fetches_c =
            depth.size() * kernel_.height >= min_fetch_work && rows.size() * c_.cols >= kernel_.pays_from.fetch_numbers,
        .c_after = c_after,
        .next_b = fetch(next, rows.size(), depth.size()),
    };
    const Index width = detail::round_up<Index>(cols.size(), kernel_.lanes);
    const bool by_rows = b_.col_stride == 1;
    const bool worth_a_copy = rows.size() > direct_rows * kernel_.lanes && depth.size() > direct_depth;
    if (by_rows && !worth_a_copy && cols.size() == width) {
      kernel_.multiply(work, width, strips.side_by_side);
      return;
    }
    if (by_rows && worth_a_copy && cols.size() == max_width * kernel_.lanes) {
      work.rows = kernel_.height;
      work.c_after = c + kernel_.height * c_.row_stride;
      kernel_.copying_tiles(&work);
      work.rows = rows.size() - kernel_.height;
      work.c_after = c_after;
    } else {
      const PackWork pack{work.b, b_.row_stride, b_.col_stride, depth.size(), cols.size(), copy, width};
      kernel_.pack_panel(&pack);
    }
    work.b = copy;
    work.b_step = width;
    kernel_.multiply(work, width, strips.side_by_side);
  }

  /// That panel, if it is worth fetching while so many rows and steps of another are computed.
  Fetch fetch(const Panel& panel, Index rows, Index steps) const {
    const auto [cols, depth] = panel;
    const Index strips = rows / kernel_.height;
    const bool by_rows = b_.col_stride == 1;
    if (strips < (by_rows ? kernel_.pays_from.row_fetch_strips : kernel_.pays_from.column_fetch_strips) ||
        depth.size() == 0)
      return {};
    Fetch next{.next = b_.at(depth.begin, cols.begin)};
    next.left = by_rows ? depth.size() : cols.size();
    next.stride = by_rows ? b_.row_stride : b_.col_stride;
    next.length = by_rows ? cols.size() : depth.size();
    const Index times = fetches_beside(kernel_.lanes) ? strips * detail::divide_up(steps, fetch_steps) : strips;
    next.each = next.left * detail::divide_up(next.length, fetch_piece(kernel_.lanes)) / times + 1;
    return next;
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
