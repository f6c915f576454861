#pragma once

#include <algorithm>
#include <type_traits>
#include <vector>

#include "../core/memory.hpp"

namespace tapegrad::inline TAPEGRAD_ABI::detail {

/// Memory that is handed out piece by piece and taken back all at once. Blocks never move, and are kept by `rewind()`:
/// a pass that asks for what the last one asked for allocates nothing.
class Arena {
 public:
  /// `bytes` bytes, aligned to a cache line.
  [[gnu::noinline]] void* allocate(std::size_t bytes) {
    bytes = (bytes + alignment - 1) / alignment * alignment;
    while (current_ < blocks_.size() && blocks_[current_].bytes - used_ < bytes) {
      ++current_;
      used_ = 0;
    }
    if (current_ == blocks_.size()) add_block(bytes);
    void* result = blocks_[current_].memory.get() + used_;
    used_ += bytes;
    return result;
  }

  /// `count` uninitialised objects that need no destructor.
  template <class T>
  T* allocate_array(std::size_t count) {
    static_assert(std::is_trivially_destructible_v<T>, "the arena calls no destructors");
    return static_cast<T*>(allocate(count * sizeof(T)));
  }

  /// Takes everything back, keeps the blocks.
  void rewind() {
    current_ = 0;
    used_ = 0;
  }

  /// What the blocks hold together.
  std::size_t bytes() const {
    std::size_t sum = 0;
    for (const Block& block : blocks_) sum += block.bytes;
    return sum;
  }

 private:
  static constexpr std::size_t first_block = std::size_t{64} << 10;  // a tiny model needs no more

  struct Block {
    AlignedArray<std::byte> memory;
    std::size_t bytes;
  };

  /// Each block is at least twice as large as the one before, so there are few of them.
  void add_block(std::size_t needed) {
    const std::size_t size = std::max(needed, blocks_.empty() ? first_block : 2 * blocks_.back().bytes);
    blocks_.reserve(blocks_.size() + 1);
    blocks_.push_back({allocate_aligned<std::byte>(size), size});
    used_ = 0;
  }

  std::vector<Block> blocks_;
  std::size_t current_ = 0;  // the block that is handed out from
  std::size_t used_ = 0;     // bytes of it that are taken
};

}  // namespace tapegrad::inline TAPEGRAD_ABI::detail
