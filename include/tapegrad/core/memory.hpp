#pragma once
// Memory aligned to a cache line, which is as long as the widest vector there is.

#include <cstddef>
#include <memory>
#include <new>
#include <type_traits>

#include "config.hpp"

namespace tapegrad::inline TAPEGRAD_ABI::detail {

inline constexpr std::size_t alignment = 64;

struct AlignedFree {
  void operator()(void* memory) const noexcept { ::operator delete (memory, std::align_val_t{alignment}); }
};

/// An array that was allocated so; its size is for its owner to know.
template <class T>
using AlignedArray = std::unique_ptr<T[], AlignedFree>;

/// `count` elements that hold whatever the memory held.
template <class T>
AlignedArray<T> allocate_aligned(std::size_t count) {
  static_assert(std::is_trivial_v<T>, "neither constructors nor destructors are called");
  return AlignedArray<T>(static_cast<T*>(::operator new (count * sizeof(T), std::align_val_t{alignment})));
}

}  // namespace tapegrad::inline TAPEGRAD_ABI::detail
