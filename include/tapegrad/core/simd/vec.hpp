#pragma once
// A vector of numbers, written once for all instruction sets with the compilers' vector extensions. Its members are
// always inlined into a function that carries the instruction set (isa.hpp). Vectors go by reference: passing 64 bytes
// by value is an error or a warning where the instruction set is not in the flags.

#include <cmath>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <utility>

#include "assembly.hpp"
#include "isa.hpp"

#if TAPEGRAD_X86
#include <xmmintrin.h>  // _mm_sqrt_ps
#endif

// g++ unrolls the loops over an array of registers at -O2 only if told to.
#if defined(__clang__)
#define TAPEGRAD_UNROLL _Pragma("unroll")
#define TAPEGRAD_UNROLL_TWICE _Pragma("unroll(2)")
#else
#define TAPEGRAD_UNROLL _Pragma("GCC unroll 32")
#define TAPEGRAD_UNROLL_TWICE _Pragma("GCC unroll 2")
#endif

// Whether clang fuses all that it may: not without optimisation, nor where sanitizers stand between.
#if defined(__clang__) && defined(__OPTIMIZE__)
#define TAPEGRAD_CLANG_FUSES !(__has_feature(address_sanitizer) || __has_feature(undefined_behavior_sanitizer))
#else
#define TAPEGRAD_CLANG_FUSES 0
#endif

namespace tapegrad::inline TAPEGRAD_ABI::simd {

template <class T, int lanes_>
struct Vec {
  static constexpr int lanes = lanes_;
  typedef T Raw __attribute__((vector_size(sizeof(T) * lanes)));
  typedef T Unaligned __attribute__((vector_size(sizeof(T) * lanes), aligned(sizeof(T)), may_alias));

  Raw raw;

  static TAPEGRAD_INLINE Vec zero() { return {Raw{}}; }
  static TAPEGRAD_INLINE Vec all(T x) {  // not lane by lane: with -mavx512f g++ then makes a masked move of each
    return [&]<int... i>(std::integer_sequence<int, i...>) __attribute__((always_inline))->Vec {
      return {Raw{(static_cast<void>(i), x)...}};
    }
    (std::make_integer_sequence<int, lanes>());
  }
  static TAPEGRAD_INLINE Vec load(const T* from) { return {*reinterpret_cast<const Unaligned*>(from)}; }
  TAPEGRAD_INLINE void store(T* to) const { *reinterpret_cast<Unaligned*>(to) = raw; }

  /// The first `count` numbers only, fewer than `lanes`; the other lanes are 0.
  static TAPEGRAD_INLINE Vec load(const T* from, Index count) {
#if TAPEGRAD_X86
    if constexpr (masked) {
      Vec some;
      detail::load_first(some.raw, from, count);
      return some;
    }
#endif
    alignas(Raw) T padded[lanes] = {};
    copy(from, padded, count);
    return load(padded);
  }
  TAPEGRAD_INLINE void store(T* to, Index count) const {
#if TAPEGRAD_X86
    if constexpr (masked) return detail::store_first(raw, to, count);
#endif
    alignas(Raw) T padded[lanes];
    store(padded);
    copy(padded, to, count);
  }

  friend TAPEGRAD_INLINE Vec operator+(const Vec& a, const Vec& b) { return {a.raw + b.raw}; }
  friend TAPEGRAD_INLINE Vec operator-(const Vec& a, const Vec& b) { return {a.raw - b.raw}; }
  friend TAPEGRAD_INLINE Vec operator/(const Vec& a, const Vec& b) { return {a.raw / b.raw}; }
  friend TAPEGRAD_INLINE Vec operator*(const Vec& a, const Vec& b) { return Vec{a.raw * b.raw}.apart(); }

  friend TAPEGRAD_INLINE Vec operator-(const Vec& a) { return {-a.raw}; }
  friend TAPEGRAD_INLINE Vec operator+(const Vec& a, T b) { return a + all(b); }
  friend TAPEGRAD_INLINE Vec operator+(T a, const Vec& b) { return all(a) + b; }
  friend TAPEGRAD_INLINE Vec operator-(const Vec& a, T b) { return a - all(b); }
  friend TAPEGRAD_INLINE Vec operator-(T a, const Vec& b) { return all(a) - b; }
  friend TAPEGRAD_INLINE Vec operator*(const Vec& a, T b) { return a * all(b); }
  friend TAPEGRAD_INLINE Vec operator*(T a, const Vec& b) { return all(a) * b; }
  friend TAPEGRAD_INLINE Vec operator/(const Vec& a, T b) { return a / all(b); }
  friend TAPEGRAD_INLINE Vec operator/(T a, const Vec& b) { return all(a) / b; }

  /// The same, but g++ cannot merge it with what follows: a product with a later sum into a fused operation, as it
  /// would under -std=gnu++20, or two choices into one over a vector of truths, which it takes to pieces for AVX-512.
  /// (Here and below, assembly writes to a Raw: a Vec that it writes to, g++ stores to memory each time.)
  TAPEGRAD_INLINE Vec apart() const {
    Raw same = raw;
#if TAPEGRAD_X86 && !defined(__clang__)
    if constexpr (std::is_same_v<Scalar, float>) asm("" : "+v"(same));
#endif
    return {same};
  }

 private:
  static constexpr bool masked = lanes * sizeof(T) == 64 && std::is_same_v<T, float>;  // AVX-512 has masks
  /// Fewer than `lanes` numbers, in pieces of 8, 4, 2 and 1.
  static TAPEGRAD_INLINE void copy(const T* from, T* to, Index count) {
    TAPEGRAD_UNROLL
    for (Index piece = lanes / 2; piece > 0; piece /= 2) {
      if (count & piece) {
        std::memcpy(to, from, static_cast<std::size_t>(piece) * sizeof(T));
        from += piece;
        to += piece;
      }
    }
  }
};

/// a * b + c, rounded once where the instruction set can.
template <class T, int lanes>
TAPEGRAD_INLINE Vec<T, lanes> fma(const Vec<T, lanes>& a, const Vec<T, lanes>& b, const Vec<T, lanes>& c) {
  static_assert(lanes <= 4 || std::is_same_v<T, float>, "long vectors are fused as floats");
#if TAPEGRAD_X86
  if constexpr (lanes > 4) {  // AVX2 or AVX-512, in float; written so that no flag can keep the compiler from fusing
#if TAPEGRAD_CLANG_FUSES
#pragma clang fp contract(fast)
    return {a.raw * b.raw + c.raw};
#else
    typename Vec<T, lanes>::Raw sum = c.raw;
#if defined(__clang__)
    for (int i = 0; i < lanes; ++i) sum[i] = __builtin_fmaf(a.raw[i], b.raw[i], c.raw[i]);
#else
    asm("vfmadd231ps {%2, %1, %0|%0, %1, %2}" : "+v"(sum) : "v"(a.raw), "v"(b.raw));
#endif
    return {sum};
#endif
  }
#endif
#if defined(__FMA__) || defined(__aarch64__)
  Vec<T, lanes> sum = c;
  TAPEGRAD_UNROLL
  for (int i = 0; i < lanes; ++i) {
    if constexpr (std::is_same_v<T, float>)
      sum.raw[i] = __builtin_fmaf(a.raw[i], b.raw[i], c.raw[i]);
    else
      sum.raw[i] = __builtin_fma(a.raw[i], b.raw[i], c.raw[i]);
  }
  return sum;
#else
  return a * b + c;
#endif
}

/// *a in all lanes, times b, + c. AVX-512 spreads a number as it loads it, which is an instruction less.
template <class T, int lanes>
TAPEGRAD_INLINE Vec<T, lanes> fma(const T* a, const Vec<T, lanes>& b, const Vec<T, lanes>& c) {
#if TAPEGRAD_X86 && !defined(__clang__)
  if constexpr (lanes * sizeof(T) == 64 && std::is_same_v<T, float>) {
    typename Vec<T, lanes>::Raw sum = c.raw;
    asm("vfmadd231ps {%2%{1to16%}, %1, %0|%0, %1, %2%{1to16%}}" : "+v"(sum) : "v"(b.raw), "m"(*a));
    return {sum};
  }
#endif
  return fma(Vec<T, lanes>::all(*a), b, c);
}

/// Of each four lanes, the low (or high) ones of a and b in turn, in groups of one or two: a0 b0 a1 b1, or a0 a1 b0 b1.
template <int group, bool high, class T, int lanes>
TAPEGRAD_INLINE Vec<T, lanes> zip(const Vec<T, lanes>& a, const Vec<T, lanes>& b) {
  constexpr auto source = [](int i) {
    const int pair = i % 4 / group, from = i - i % 4 + (high ? 2 : 0) + pair / 2 + i % group;
    return pair % 2 == 0 ? from : lanes + from;
  };
  return [&]<int... i>(std::integer_sequence<int, i...>) __attribute__((always_inline))->Vec<T, lanes> {
#if defined(__clang__)
    return {__builtin_shufflevector(a.raw, b.raw, source(i)...)};
#else
    using Integer = std::conditional_t<sizeof(T) == sizeof(std::int32_t), std::int32_t, std::int64_t>;
    return {__builtin_shuffle(a.raw, b.raw, typename Vec<Integer, lanes>::Raw{source(i)...})};
#endif
  }
  (std::make_integer_sequence<int, lanes>());
}

/// Transposes the squares that each four lanes of four vectors make.
template <class T, int lanes>
TAPEGRAD_INLINE void transpose(Vec<T, lanes>& a, Vec<T, lanes>& b, Vec<T, lanes>& c, Vec<T, lanes>& d) {
  const Vec<T, lanes> ab_low = zip<1, false>(a, b), ab_high = zip<1, true>(a, b);
  const Vec<T, lanes> cd_low = zip<1, false>(c, d), cd_high = zip<1, true>(c, d);
  a = zip<2, false>(ab_low, cd_low);
  b = zip<2, true>(ab_low, cd_low);
  c = zip<2, false>(ab_high, cd_high);
  d = zip<2, true>(ab_high, cd_high);
}

// ---- what functions of one element need beside arithmetic -----------------------------------------------------------

template <int lanes>
using Floats = Vec<float, lanes>;
template <int lanes>
using Bits = Vec<std::uint32_t, lanes>;

/// a < b ? yes : no. (Comparisons and choices are one: a vector of truths has another form in every instruction set.)
template <class C, class T, int lanes>
TAPEGRAD_INLINE Vec<T, lanes> if_less(const Vec<C, lanes>& a, const Vec<C, lanes>& b, const Vec<T, lanes>& yes,
                                      const Vec<T, lanes>& no) {
  return Vec<T, lanes>{a.raw < b.raw ? yes.raw : no.raw}.apart();
}
/// a == b ? yes : no.
template <class C, class T, int lanes>
TAPEGRAD_INLINE Vec<T, lanes> if_equal(const Vec<C, lanes>& a, const Vec<C, lanes>& b, const Vec<T, lanes>& yes,
                                       const Vec<T, lanes>& no) {
  return Vec<T, lanes>{a.raw == b.raw ? yes.raw : no.raw}.apart();
}
/// isnan(a) ? yes : no.
template <class T, int lanes>
TAPEGRAD_INLINE Vec<T, lanes> if_nan(const Vec<T, lanes>& a, const Vec<T, lanes>& yes, const Vec<T, lanes>& no) {
  return Vec<T, lanes>{a.raw != a.raw ? yes.raw : no.raw}.apart();
}
/// The larger one; b where one of them is NaN. (`greater` of ops/select.hpp is NaN then.)
template <class T, int lanes>
TAPEGRAD_INLINE Vec<T, lanes> larger(const Vec<T, lanes>& a, const Vec<T, lanes>& b) {
  return if_less(b, a, a, b);
}
/// The same bits as another type.
template <class To, class T, int lanes>
TAPEGRAD_INLINE Vec<To, lanes> bit_cast(const Vec<T, lanes>& a) {
  static_assert(sizeof(To) == sizeof(T));
  return {reinterpret_cast<typename Vec<To, lanes>::Raw>(a.raw)};
}
/// The same numbers as another type.
template <class To, class T, int lanes>
TAPEGRAD_INLINE Vec<To, lanes> convert(const Vec<T, lanes>& a) {
#if TAPEGRAD_X86 && !defined(__clang__)
  // AVX2 or AVX-512, in float: g++ would take a vector to pieces, by way of memory.
  if constexpr (std::is_same_v<Scalar, float> && std::is_same_v<To, double> && sizeof(T) == sizeof(float) &&
                lanes > 2) {
    static_assert(std::is_same_v<T, float> || std::is_same_v<T, std::int32_t>);
    typename Vec<To, lanes>::Raw numbers;
    if constexpr (std::is_same_v<T, float>)
      asm("vcvtps2pd {%1, %0|%0, %1}" : "=v"(numbers) : "v"(a.raw));
    else
      asm("vcvtdq2pd {%1, %0|%0, %1}" : "=v"(numbers) : "v"(a.raw));
    return {numbers};
  }
#endif
  return {__builtin_convertvector(a.raw, typename Vec<To, lanes>::Raw)};
}
template <class T, int lanes>
TAPEGRAD_INLINE Vec<T, lanes> abs(const Vec<T, lanes>& a) {
  using Integer = std::conditional_t<sizeof(T) == sizeof(std::uint32_t), std::uint32_t, std::uint64_t>;
  return bit_cast<T>(Vec<Integer, lanes>{bit_cast<Integer>(a).raw & (~Integer{0} >> 1)});
}
template <class T, int lanes>
TAPEGRAD_INLINE Vec<T, lanes> square(const Vec<T, lanes>& a) {
  return a * a;
}
/// f of each number, or of each pair, for what there is no loop for.
template <class F, class T, int lanes, class... More>
TAPEGRAD_INLINE Vec<T, lanes> one_by_one(const F& f, const Vec<T, lanes>& a, const More&... more) {
  Vec<T, lanes> result = a;
  for (int i = 0; i < lanes; ++i) result.raw[i] = f(a.raw[i], more.raw[i]...);
  return result;
}
template <class T, int lanes>
TAPEGRAD_INLINE Vec<T, lanes> sqrt(const Vec<T, lanes>& a) {
  Vec<T, lanes> root = a;
#if TAPEGRAD_X86
  if constexpr (std::is_same_v<T, float>) {
    if constexpr (lanes > 4)
      detail::take_roots(root.raw);
    else
      root.raw = _mm_sqrt_ps(root.raw);
    return root;
  }
#endif
  for (int i = 0; i < lanes; ++i) root.raw[i] = std::sqrt(a.raw[i]);
  return root;
}

// ---- loops ----------------------------------------------------------------------------------------------------------

/// y[i] = f(x[i]...) for i < n, for a callable of vectors. What is left at the end goes through the same loop, padded
/// with zeros: f is inlined once, which halves the time to compile it. (By value: what f holds stays in registers.)
template <int lanes, class T, class F, class... X>
TAPEGRAD_INLINE void map(F f, T* y, Index n, const X*... x) {
  using V = Vec<T, lanes>;
  alignas(V) T padded[1 + sizeof...(X)][lanes];
  const Index rest = n & (lanes - 1), whole = n - rest;
  T* to = y;
  for (Index end = whole;; end = lanes) {
    for (Index i = 0; i < end; i += lanes) f(V::load(x + i)...).store(to + i);
    if (rest == 0 || to != y) break;
    to = padded[0];
    [[maybe_unused]] std::size_t next = 0;
    (static_cast<void>((V::load(x + whole, rest).store(padded[++next]), x = padded[next])), ...);
  }
  if (rest > 0) V::load(to).store(y + whole, rest);
}

}  // namespace tapegrad::inline TAPEGRAD_ABI::simd
