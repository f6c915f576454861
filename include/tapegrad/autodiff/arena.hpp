#pragma once

#include <algorithm>
#include <type_traits>
#include <vector>

#include "../core/memory.hpp"

#if __has_include(<sanitizer/asan_interface.h>)
#include <sanitizer/asan_interface.h>  // whose macros do nothing in a build without AddressSanitizer
#define TAPEGRAD_POISON ASAN_POISON_MEMORY_REGION
#define TAPEGRAD_UNPOISON ASAN_UNPOISON_MEMORY_REGION
#else
#define TAPEGRAD_POISON(begin, bytes) (static_cast<void>(begin), static_cast<void>(bytes))
#define TAPEGRAD_UNPOISON TAPEGRAD_POISON
#endif

namespace tapegrad::inline TAPEGRAD_ABI::detail {

/// Memory that is handed out piece by piece and taken back all at once. Blocks never move, and are kept by `rewind()`:
/// a pass that asks for what the last one asked for allocates nothing. AddressSanitizer is told what is not handed out:
/// it names who reads the last pass's numbers.
class Arena {
 public:
  /// `bytes` bytes, aligned to `align`: a power of two, at most a cache line.
  void* allocate(std::size_t bytes, std::size_t align) {
    const std::size_t begin = (used_ + align - 1) & ~(align - 1);
    if (begin + bytes > room_) [[unlikely]]
      return allocate_elsewhere(bytes);
    used_ = begin + bytes;
    TAPEGRAD_UNPOISON(memory_ + begin, bytes);
    return memory_ + begin;
  }

  /// `count` uninitialised objects that need no destructor.
  template <class T>
  T* allocate_array(std::size_t count, std::size_t align = alignof(T)) {
    static_assert(std::is_trivially_destructible_v<T>, "the arena calls no destructors");
    static_assert(alignof(T) <= alignment, "the arena aligns to cache lines");
    return static_cast<T*>(allocate(count * sizeof(T), align));
  }

  /// The numbers of a tensor, from a cache line's beginning on.
  Scalar* allocate_numbers(Index count) { return allocate_array<Scalar>(static_cast<std::size_t>(count), alignment); }

  /// Takes everything back, keeps the blocks.
  void rewind() {
    for (const Block& block : blocks_) TAPEGRAD_POISON(block.memory.get(), block.bytes);
    if (!blocks_.empty()) begin_block(0);
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

  /// From the beginning of the next block that has room, or of a new one. But for a small first one, those fill a huge
  /// page, and are at least twice as large as the one before: so there are few of them.
  [[gnu::noinline]] void* allocate_elsewhere(std::size_t bytes) {
    std::size_t next = memory_ ? current_ + 1 : 0;
    while (next < blocks_.size() && blocks_[next].bytes < bytes) ++next;
    if (next == blocks_.size()) {
      const std::size_t before = blocks_.empty() ? 0 : blocks_.back().bytes;
      const std::size_t size =
          before == 0 && bytes <= first_block ? first_block : std::max({bytes, huge_page, 2 * before});
      blocks_.push_back({allocate_aligned<std::byte>(size), size});
      TAPEGRAD_POISON(blocks_.back().memory.get(), size);
    }
    begin_block(next);
    used_ = bytes;
    TAPEGRAD_UNPOISON(memory_, bytes);
    return memory_;
  }
  void begin_block(std::size_t block) {
    current_ = block;
    memory_ = blocks_[block].memory.get();
    room_ = blocks_[block].bytes;
    used_ = 0;
  }

  std::vector<Block> blocks_;
  std::size_t current_ = 0;      // the block that is handed out from
  std::byte* memory_ = nullptr;  // where it is
  std::size_t room_ = 0;         // its bytes
  std::size_t used_ = 0;         // those of them that are taken
};

}  // namespace tapegrad::inline TAPEGRAD_ABI::detail
