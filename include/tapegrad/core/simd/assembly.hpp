#pragma once
// Instructions that the compilers do not make of the generic vector (vec.hpp). Each is a function that carries its
// instruction set, as only there clang takes a wide register for an operand; it is inlined into the loops of that set,
// and what it refers to stays in registers. (What only g++ has to be told stands where it is used.)

#include <cstdint>

#include "isa.hpp"

#if TAPEGRAD_X86
namespace tapegrad::inline TAPEGRAD_ABI::simd::detail {

typedef float Ymm __attribute__((vector_size(32)));
typedef float Zmm __attribute__((vector_size(64)));

/// Of each number its square root.
[[gnu::target(TAPEGRAD_AVX2)]] inline void take_roots(Ymm& x) { asm("vsqrtps %0, %0" : "+x"(x)); }
[[gnu::target(TAPEGRAD_AVX512)]] inline void take_roots(Zmm& x) { asm("vsqrtps %0, %0" : "+v"(x)); }

/// The mask of the first `count` of 16 numbers, fewer than all.
inline std::uint16_t first(Index count) { return static_cast<std::uint16_t>((1u << count) - 1); }
typedef float Sixteen[16];
/// Loads the first `count` numbers only, fewer than 16; the others become 0.
[[gnu::target(TAPEGRAD_AVX512)]] inline void load_first(Zmm& to, const float* from, Index count) {
  asm("vmovups {%1, %0%{%2%}%{z%}|%0%{%2%}%{z%}, %1}"
      : "=v"(to)
      : "m"(*reinterpret_cast<const Sixteen*>(from)), "Yk"(first(count)));
}
/// Stores them, and leaves the rest of the memory alone.
[[gnu::target(TAPEGRAD_AVX512)]] inline void store_first(const Zmm& from, float* to, Index count) {
  asm("vmovups {%1, %0%{%2%}|%0%{%2%}, %1}" : "+m"(*reinterpret_cast<Sixteen*>(to)) : "v"(from), "Yk"(first(count)));
}

}  // namespace tapegrad::inline TAPEGRAD_ABI::simd::detail
#endif
