#pragma once
// Memory for numbers, aligned to a cache line, which is as long as the widest vector there is.

#include <cstddef>
#include <memory>
#include <new>
#include <type_traits>

#include "config.hpp"

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace tapegrad::inline TAPEGRAD_ABI::detail {

inline constexpr std::size_t alignment = 64;
/// The numbers in a cache line.
inline constexpr Index cache_line = alignment / sizeof(Scalar);
/// How many units it takes to hold `size`.
template <class T>
constexpr T divide_up(T size, T unit) {
  return (size + unit - 1) / unit;
}
/// The next multiple of `unit`, or `size` if it is one.
template <class T>
constexpr T round_up(T size, T unit) {
  return divide_up(size, unit) * unit;
}

/// Arrays that fill at least three quarters of such pages lie in them where the system has them: a step of training
/// goes through tens of megabytes, and a processor looks up each page of 4 KB, in a virtual machine twice.
inline constexpr std::size_t huge_page = std::size_t{2} << 20;

struct AlignedFree {
  std::size_t alignment = detail::alignment;
  void operator()(void* memory) const noexcept { ::operator delete (memory, std::align_val_t{alignment}); }
};

/// What allocate_aligned() gives. It does not know its size: its owner does.
template <class T>
using AlignedArray = std::unique_ptr<T[], AlignedFree>;

/// `count` elements that hold whatever the memory held.
template <class T>
AlignedArray<T> allocate_aligned(std::size_t count) {
  static_assert(std::is_trivially_default_constructible_v<T> && std::is_trivially_copyable_v<T>,
                "neither constructors nor destructors are called");
  std::size_t bytes = count * sizeof(T);
  const std::size_t in_huge_pages = round_up(bytes, huge_page);
  const bool large = in_huge_pages > 0 && bytes >= in_huge_pages / 4 * 3;
  if (large) bytes = in_huge_pages;
  const AlignedFree free{large ? huge_page : alignment};
  void* const memory = ::operator new (bytes, std::align_val_t{free.alignment});
#if defined(MADV_HUGEPAGE)
  if (large) madvise(memory, bytes, MADV_HUGEPAGE);  // a wish: where it is not granted, all is as before
#endif
  return AlignedArray<T>(static_cast<T*>(memory), free);
}

}  // namespace tapegrad::inline TAPEGRAD_ABI::detail
