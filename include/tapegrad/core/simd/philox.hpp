#pragma once
// Numbers made of blocks of Philox 4x32-10 (Salmon, Moraes, Dror, Shaw: Parallel random numbers: as easy as 1, 2, 3;
// SC 2011). Declared and described in simd.hpp.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <numbers>
#include <type_traits>

#include "math.hpp"

namespace tapegrad::inline TAPEGRAD_ABI::simd {
namespace detail {

/// Blocks that are made at a time, enough to keep the vectors busy.
inline constexpr int philox_blocks = 32;

/// word[w][i] is word w of block i; but the blocks that share a vector are in the order that transpose() undoes.
struct PhiloxWords {
  alignas(64) std::uint32_t word[4][philox_blocks];
};

/// The lower half of each a, times b, which is below 2^32.
template <int lanes>
TAPEGRAD_INLINE Vec<std::uint64_t, lanes> multiply_low(const Vec<std::uint64_t, lanes>& a, std::uint64_t b) {
  const auto factor = Vec<std::uint64_t, lanes>::all(b);
#if TAPEGRAD_X86 && !defined(__clang__)
  if constexpr (lanes > 2) {  // g++ would multiply all 64 bits, which takes three instructions or more
    typename Vec<std::uint64_t, lanes>::Raw product;
    asm("vpmuludq {%2, %1, %0|%0, %1, %2}" : "=v"(product) : "v"(a.raw), "v"(factor.raw));
    return {product};
  }
#endif
  return {(a.raw & 0xffffffffu) * factor.raw};
}

/// The two words of the key in each round, in all lanes.
template <int lanes>
struct PhiloxKeys {
  static constexpr int rounds = 10;
  using V = Vec<std::uint64_t, lanes / 2>;

  V words[rounds][2];

  explicit TAPEGRAD_INLINE PhiloxKeys(std::uint64_t key) {
    V key0 = V::all(key & 0xffffffffu), key1 = V::all(key >> 32);
    for (int round = 0; round < rounds; ++round) {
      words[round][0] = key0;
      words[round][1] = key1;
      key0.raw += 0x9E3779B9u;
      key1.raw += 0xBB67AE85u;
    }
  }
};

template <int lanes>
TAPEGRAD_INLINE void philox(const PhiloxKeys<lanes>& keys, std::uint64_t first, PhiloxWords& out) {
  using V = typename PhiloxKeys<lanes>::V;
  constexpr int apart = lanes / 4;  // so far from one block to the next within each four lanes
  V block;
  for (int i = 0; i < V::lanes; ++i) block.raw[i] = first + static_cast<std::uint64_t>(2 * i % 4 * apart + i / 2);
  for (int i = 0; i < philox_blocks; i += lanes, block.raw += lanes) {
    // Words of the even blocks and of the odd ones. A word is the lower half of 64 bits, whatever the upper half holds.
    V w[2][4];
    TAPEGRAD_UNROLL
    for (unsigned odd = 0; odd < 2; ++odd) {
      w[odd][0].raw = block.raw + odd * apart;
      w[odd][1].raw = w[odd][0].raw >> 32;
      w[odd][2] = w[odd][3] = V::zero();
    }
    TAPEGRAD_UNROLL
    for (int round = 0; round < PhiloxKeys<lanes>::rounds; ++round) {
      const V(&key)[2] = keys.words[round];
      TAPEGRAD_UNROLL
      for (unsigned odd = 0; odd < 2; ++odd) {
        V(&of)[4] = w[odd];
        const V left = multiply_low(of[0], 0xD2511F53u), right = multiply_low(of[2], 0xCD9E8D57u);
        of[0].raw = (right.raw >> 32) ^ (of[1].raw ^ key[0].raw);
        of[1] = right;
        of[2].raw = (left.raw >> 32) ^ (of[3].raw ^ key[1].raw);
        of[3] = left;
      }
    }
    TAPEGRAD_UNROLL
    for (int word = 0; word < 4; ++word) {
      const V in_turn{(w[0][word].raw & 0xffffffffu) | (w[1][word].raw << 32)};
      std::memcpy(out.word[word] + i, &in_turn, sizeof(in_turn));
    }
  }
}

/// Fills `out` with the columns of `numbers`, block after block, where make(words, numbers) turns words into numbers.
template <int lanes, class Make>
TAPEGRAD_INLINE void philox_fill(std::uint64_t key, std::uint64_t first, Scalar* out, Index n, const Make& make) {
  constexpr Index step = 4 * philox_blocks;
  const PhiloxKeys<lanes> keys(key);
  for (; n > 0; n -= step, out += step, first += philox_blocks) {
    PhiloxWords words;
    alignas(64) Scalar numbers[4][philox_blocks], in_order[step];
    philox(keys, first, words);
    make(words, numbers);
    Scalar* to = n < step ? in_order : out;
    for (int i = 0; i < philox_blocks; i += lanes) {
      Vec<Scalar, lanes> row[4];
      TAPEGRAD_UNROLL
      for (int w = 0; w < 4; ++w) row[w] = Vec<Scalar, lanes>::load(numbers[w] + i);
      transpose(row[0], row[1], row[2], row[3]);
      TAPEGRAD_UNROLL
      for (int w = 0; w < 4; ++w) row[w].store(to + 4 * i + w * lanes);
    }
    if (n < step) std::copy_n(in_order, n, out);
  }
}

/// The cosine and sine of 2 pi word / 2^32.
template <int lanes>
TAPEGRAD_INLINE void circle(const Bits<lanes>& word, Floats<lanes>& cosine, Floats<lanes>& sine) {
  using V = Floats<lanes>;
  using Signed = Vec<std::int32_t, lanes>;
  // The nearest multiple of a quarter turn, and the angle from there.
  const Bits<lanes> quarter{(word.raw + (1u << 29)) >> 30};
  const Signed rest = bit_cast<std::int32_t>(Bits<lanes>{word.raw - (quarter.raw << 30)});
  const V angle = convert<float>(rest) * 0x1.921fb6p-30f, square = angle * angle;
  const V near_sine = fma(angle * square, polynomial(square, -0x1.555546p-3f, 0x1.11077ap-7f, -0x1.9954e8p-13f), angle);
  const V near_cosine = polynomial(square, 1, -0.5f, 0x1.55554ap-5f, -0x1.6c0c2ap-10f, 0x1.99e914p-16f);
  // A quarter turn takes (cosine, sine) to (-sine, cosine), half a turn both to their opposites.
  const Bits<lanes> odd{quarter.raw & 1u}, none = Bits<lanes>::zero();
  const Bits<lanes> minus_cosine{((quarter.raw + 1u) & 2u) << 30}, minus_sine{(quarter.raw & 2u) << 30};
  const auto with_sign = [](const V& x, const Bits<lanes>& sign) __attribute__((always_inline)) {
    return bit_cast<float>(Bits<lanes>{bit_cast<std::uint32_t>(x).raw ^ sign.raw});
  };
  cosine = with_sign(if_equal(odd, none, near_cosine, near_sine), minus_cosine);
  sine = with_sign(if_equal(odd, none, near_sine, near_cosine), minus_sine);
}

struct PhiloxNormal {
  template <int lanes>
  static TAPEGRAD_INLINE void run(std::uint64_t key, std::uint64_t first, Scalar* out, Index n, Scalar mean,
                                  Scalar deviation) {
    using V = Vec<Scalar, lanes>;
    // Made here, not in the loop, where g++ would put them together number by number.
    [[maybe_unused]] const V centre = V::all(mean), scale = V::all(deviation);
    const auto make = [&](const PhiloxWords& words, Scalar(&numbers)[4][philox_blocks]) __attribute__((always_inline)) {
      for (int w = 0; w < 4; w += 2) {
        if constexpr (std::is_same_v<Scalar, float>) {
          for (int i = 0; i < philox_blocks; i += lanes) {
            const Bits<lanes> length = Bits<lanes>::load(words.word[w] + i);
            const Bits<lanes> turn = Bits<lanes>::load(words.word[w + 1] + i);
            // (word + 1/2) / 2^32, of 31 bits, as conversions are signed.
            const V uniform = fma(convert<float>(bit_cast<std::int32_t>(Bits<lanes>{length.raw >> 1})),
                                  V::all(0x1p-31f), V::all(0x1p-33f));
            const V radius = sqrt(-2 * Log::of(uniform)) * scale;
            V cosine, sine;
            circle(turn, cosine, sine);
            fma(radius, cosine, centre).store(numbers[w] + i);
            fma(radius, sine, centre).store(numbers[w + 1] + i);
          }
        } else {
          for (int i = 0; i < philox_blocks; ++i) {
            const double radius = std::sqrt(-2 * std::log((words.word[w][i] + 0.5) * 0x1p-32)) * deviation;
            const double angle = 2 * std::numbers::pi * 0x1p-32 * words.word[w + 1][i];
            numbers[w][i] = static_cast<Scalar>(mean + radius * std::cos(angle));
            numbers[w + 1][i] = static_cast<Scalar>(mean + radius * std::sin(angle));
          }
        }
      }
    };
    philox_fill<lanes>(key, first, out, n, make);
  }
};

struct PhiloxUniform {
  template <int lanes>
  static TAPEGRAD_INLINE void run(std::uint64_t key, std::uint64_t first, Scalar* out, Index n, Scalar low,
                                  Scalar width) {
    using V = Vec<Scalar, lanes>;
    const V lowest = V::all(low), wide = V::all(width);  // not in the loop, as above
    const auto make = [&](const PhiloxWords& words, Scalar(&numbers)[4][philox_blocks]) __attribute__((always_inline)) {
      for (int w = 0; w < 4; ++w) {
        for (int i = 0; i < philox_blocks; i += lanes) {
          const Bits<lanes> bits{Bits<lanes>::load(words.word[w] + i).raw >> 8};
          const V unit = convert<Scalar>(bit_cast<std::int32_t>(bits)) * Scalar(0x1p-24);
          fma(unit, wide, lowest).store(numbers[w] + i);
        }
      }
    };
    philox_fill<lanes>(key, first, out, n, make);
  }
};

}  // namespace detail

TAPEGRAD_BODY void philox_normal(std::uint64_t key, std::uint64_t first, Scalar* out, Index n, Scalar mean,
                                 Scalar deviation) {
  run<detail::PhiloxNormal>(key, first, out, n, mean, deviation);
}
TAPEGRAD_BODY void philox_uniform(std::uint64_t key, std::uint64_t first, Scalar* out, Index n, Scalar low,
                                  Scalar width) {
  run<detail::PhiloxUniform>(key, first, out, n, low, width);
}

}  // namespace tapegrad::inline TAPEGRAD_ABI::simd
