#pragma once
// Products are checked, get room for copies, and go to the threads.

#include <algorithm>

#include "../core/memory.hpp"
#include "../core/parallel.hpp"
#include "product.hpp"

namespace tapegrad::inline TAPEGRAD_ABI::gemm_detail {

/// Room for copies of max_part numbers of A, one for each of so many blocks: the calling thread's own, also while it
/// computes all blocks alone, so that nothing is allocated when others take part in a later pass.
inline Scalar* packed_room(Index blocks) {
  // Without a destructor, as a static object's may multiply matrices when the main thread's thread_locals are gone.
  struct Room {
    Scalar* numbers = nullptr;
    Index blocks = 0;
    detail::AlignedFree free = {};
    void clear() {
      if (numbers) free(numbers);
      *this = {};
    }
  };
  static constinit thread_local Room room;
  struct ClearAtEnd {
    ~ClearAtEnd() { room.clear(); }
  };
  static thread_local const ClearAtEnd clear_at_end;
  if (blocks > room.blocks) {
    room.clear();
    auto larger = detail::allocate_aligned<Scalar>(static_cast<std::size_t>(blocks * max_part));
    room = {larger.get(), blocks, larger.get_deleter()};
    larger.release();
  }
  return room.numbers;
}

/// Sees that it can be computed.
inline void check(GemmTask& task) {
  auto& [a, b, c, start] = task;
  detail::require<ShapeError>(a.cols == b.rows && a.rows == c.rows && b.cols == c.cols, "gemm: A is ", a.rows, "x",
                              a.cols, ", B is ", b.rows, "x", b.cols, ", C is ", c.rows, "x", c.cols,
                              "; they must be m x k, k x n and m x n");
  detail::require<ShapeError>(c.col_stride == 1, "gemm: C's columns are ", c.col_stride,
                              " apart; its rows must be contiguous (for C transposed, compute B^T A^T)");
  detail::require<ValueError>(start.from != GemmStart::From::bias || start.bias_row || c.rows == 0 || c.cols == 0,
                              "gemm: C starts at a bias, which is a null pointer; it is a row of ", c.cols, " numbers");
  if (a.cols == 0) a.row_stride = b.col_stride = 0;  // null pointers, where nobody may take a step
}

/// Computes products that do not depend on each other. Those of the same sizes are cut alike, and a thread computes its
/// block of one after that of the other.
template <class... Tasks>
void compute(Tasks... tasks) {
  (check(tasks), ...);
  const auto run = [](const auto&... products) {
    const Index shares = std::max({products.blocks()...});
    Scalar* const room = packed_room(std::max({products.rooms()...}));
    detail::parallel_region(static_cast<int>(shares), (products.pieces() + ...),
                            [&](int thread, int threads) { (products.compute(thread, threads, room), ...); });
  };
  run(Product(tasks)...);
}

}  // namespace tapegrad::inline TAPEGRAD_ABI::gemm_detail

namespace tapegrad::inline TAPEGRAD_ABI {

TAPEGRAD_BODY void gemm(ConstStridedMatrix a, ConstStridedMatrix b, StridedMatrix c, GemmStart start) {
  gemm_detail::compute(GemmTask{a, b, c, start});
}
TAPEGRAD_BODY void gemm(GemmTask first, GemmTask second) { gemm_detail::compute(first, second); }

}  // namespace tapegrad::inline TAPEGRAD_ABI
