#pragma once
// The instruction sets, and the one choice between them. A hot loop is written once, as a struct with a static
// `run<lanes>(...)` over vectors of `lanes` numbers (vec.hpp); `simd::run<Kernel>(...)` calls it, compiled for the
// instruction set in use by function attributes. So the flags of the user's project do not matter.

#include <atomic>
#include <cstdlib>
#include <string_view>
#include <type_traits>

#include "../error.hpp"

#if defined(__x86_64__)
#define TAPEGRAD_X86 1
// PREFETCHW (prfchw) does nothing on the few of these processors that do not know it, as the first ones with AVX2.
#define TAPEGRAD_AVX2 "avx2,fma,prfchw"
#define TAPEGRAD_AVX512 "avx512f,avx512vl,avx512dq," TAPEGRAD_AVX2
#else
#define TAPEGRAD_X86 0
#endif

namespace tapegrad::inline TAPEGRAD_ABI {

/// What the hot loops are compiled for: `avx2` stands for AVX2 and FMA, `avx512` for AVX-512 F, VL, DQ and both before,
/// `portable` for what the compiler's flags give.
enum class Isa { portable, avx2, avx512 };

inline const char* name(Isa isa) { return isa == Isa::avx512 ? "avx512" : isa == Isa::avx2 ? "avx2" : "portable"; }

namespace simd {

/// Whether this machine can run it. In double only the portable loops exist.
inline bool supported(Isa isa) {
  if (isa == Isa::portable) return true;
#if TAPEGRAD_X86
  __builtin_cpu_init();
  const bool avx2 = std::is_same_v<Scalar, float> && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (isa == Isa::avx2) return avx2;
  return avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("avx512dq");
#else
  return false;
#endif
}

namespace detail {

// One for the whole program, as requested_threads is. -1: not chosen yet.
[[gnu::visibility("default")]] inline std::atomic<int> chosen_isa{-1};

/// Whether (x + large) - large rounds x to a whole number, as the kernels do. g++ tells a program of flags with which
/// it does not (config.hpp refuses them), clang only of -ffast-math as a whole.
inline bool sums_keep_their_order() {
  constexpr float large = 0x1.8p23f;
  const volatile float x = 1.25f;
  return (x + large) - large == 1;
}

/// The best one, or what TAPEGRAD_ISA in the environment asks for.
inline Isa choose_isa() {
  tapegrad::detail::require<ValueError>(sums_keep_their_order(), "compiled with -funsafe-math-optimizations or a part ",
                                        "of it, which makes exp and tanh wrong; compile without");
  const char* wish = std::getenv("TAPEGRAD_ISA");
  for (Isa isa : {Isa::avx512, Isa::avx2, Isa::portable}) {
    if (wish && *wish && std::string_view(wish) != name(isa)) continue;
    if (supported(isa)) return isa;
    tapegrad::detail::require<ValueError>(!wish || !*wish, "TAPEGRAD_ISA: got ", wish,
                                          ", which this machine or this scalar type does not have");
  }
  throw ValueError(tapegrad::detail::concat("TAPEGRAD_ISA: got ", wish, "; it must be portable, avx2 or avx512"));
}

/// For tests: what `isa()` answers from now on. It must be supported.
inline void override_isa(Isa isa) { chosen_isa.store(static_cast<int>(isa), std::memory_order_relaxed); }

}  // namespace detail

/// The instruction set in use: the best that this machine has, or a lower one that TAPEGRAD_ISA=portable|avx2|avx512
/// in the environment asks for. Throws ValueError if that is not one of these or not to be had, and for a build whose
/// flags let the compiler reorder sums.
inline Isa isa() {
  int chosen = detail::chosen_isa.load(std::memory_order_relaxed);
  if (chosen < 0) [[unlikely]]
    detail::override_isa(static_cast<Isa>(chosen = static_cast<int>(detail::choose_isa())));
  return static_cast<Isa>(chosen);
}

/// Whether the kernels in use round a product and a sum once, together. The portable ones do where the compiler's flags
/// say that the processor can.
inline bool fuses() {
#if defined(__FMA__) || defined(__aarch64__)
  return true;
#else
  return isa() != Isa::portable;
#endif
}

namespace detail {

// clang would otherwise halve 512-bit vectors where the flags say that the processor prefers 256 bits.
#if defined(__clang__)
#define TAPEGRAD_WIDE __attribute__((min_vector_width(512)))
#define TAPEGRAD_ALIGNED_LOOPS
#else
#define TAPEGRAD_WIDE
// g++ -O2 lets a loop begin within the 32 bytes that a processor fetches at a time, and a matrix product, as chance
// will have it, be 3 % slower for that.
#define TAPEGRAD_ALIGNED_LOOPS __attribute__((optimize("align-loops=32")))
#endif

template <class Kernel, class... Args>
__attribute__((noinline)) auto run_portable(Args... args) {
  return Kernel::template run<4>(args...);
}
#if TAPEGRAD_X86
template <class Kernel, class... Args>
__attribute__((noinline, target(TAPEGRAD_AVX2))) TAPEGRAD_ALIGNED_LOOPS auto run_avx2(Args... args) {
  return Kernel::template run<8>(args...);
}
template <class Kernel, class... Args>
__attribute__((noinline, target(TAPEGRAD_AVX512))) TAPEGRAD_ALIGNED_LOOPS TAPEGRAD_WIDE auto run_avx512(Args... args) {
  return Kernel::template run<16>(args...);
}
#endif
#undef TAPEGRAD_WIDE
#undef TAPEGRAD_ALIGNED_LOOPS

}  // namespace detail

/// Calls Kernel::run<lanes>(args...), compiled for the instruction set `target`. (In double all are portable.)
template <Isa target, class Kernel, class... Args>
auto run_for(Args... args) {
#if TAPEGRAD_X86
  constexpr bool in_float = std::is_same_v<Scalar, float>;
  if constexpr (in_float && target == Isa::avx512) return detail::run_avx512<Kernel>(args...);
  if constexpr (in_float && target == Isa::avx2) return detail::run_avx2<Kernel>(args...);
#endif
  return detail::run_portable<Kernel>(args...);
}

/// The same for the instruction set in use.
template <class Kernel, class... Args>
auto run(Args... args) {
  switch (isa()) {
    case Isa::avx512:
      return run_for<Isa::avx512, Kernel>(args...);
    case Isa::avx2:
      return run_for<Isa::avx2, Kernel>(args...);
    default:
      return run_for<Isa::portable, Kernel>(args...);
  }
}

}  // namespace simd
}  // namespace tapegrad::inline TAPEGRAD_ABI
