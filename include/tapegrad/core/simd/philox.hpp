#pragma once
// Philox 4x32-10 (Salmon, Moraes, Dror, Shaw: Parallel random numbers: as easy as 1, 2, 3; SC 2011) and what is made
// of its blocks. philox_normal and philox_uniform are described in simd.hpp.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <numbers>

#include "../config.hpp"

namespace tapegrad::inline TAPEGRAD_ABI::simd {

/// The four words that belong to a 128-bit counter and a 64-bit key.
inline std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t left = std::uint64_t{0xD2511F53} * counter[0];
    const std::uint64_t right = std::uint64_t{0xCD9E8D57} * counter[2];
    counter = {static_cast<std::uint32_t>(right >> 32) ^ counter[1] ^ key[0], static_cast<std::uint32_t>(right),
               static_cast<std::uint32_t>(left >> 32) ^ counter[3] ^ key[1], static_cast<std::uint32_t>(left)};
    key[0] += 0x9E3779B9;
    key[1] += 0xBB67AE85;
  }
  return counter;
}

namespace detail {
template <class Make>
void philox_fill(std::uint64_t key, std::uint64_t first, Scalar* out, Index n, const Make& make) {
  for (Index i = 0; i < n; i += 4) {
    const std::uint64_t block = first + static_cast<std::uint64_t>(i / 4);
    const auto words = philox({static_cast<std::uint32_t>(block), static_cast<std::uint32_t>(block >> 32), 0, 0},
                              {static_cast<std::uint32_t>(key), static_cast<std::uint32_t>(key >> 32)});
    const std::array<Scalar, 4> four = make(words);
    std::copy_n(four.data(), std::min<Index>(4, n - i), out + i);
  }
}
}  // namespace detail

inline void philox_normal(std::uint64_t key, std::uint64_t first, Scalar* out, Index n, Scalar mean, Scalar std) {
  detail::philox_fill(key, first, out, n, [=](const std::array<std::uint32_t, 4>& words) {
    std::array<Scalar, 4> four;
    for (std::size_t i = 0; i < 4; i += 2) {
      const double radius = std::sqrt(-2 * std::log((words[i] + 0.5) * 0x1p-32));
      const double angle = 2 * std::numbers::pi * 0x1p-32 * words[i + 1];
      four[i] = mean + std * static_cast<Scalar>(radius * std::cos(angle));
      four[i + 1] = mean + std * static_cast<Scalar>(radius * std::sin(angle));
    }
    return four;
  });
}
inline void philox_uniform(std::uint64_t key, std::uint64_t first, Scalar* out, Index n, Scalar low, Scalar width) {
  detail::philox_fill(key, first, out, n, [=](const std::array<std::uint32_t, 4>& words) {
    std::array<Scalar, 4> four;
    for (std::size_t i = 0; i < 4; ++i) four[i] = low + width * (static_cast<Scalar>(words[i] >> 8) * Scalar(0x1p-24));
    return four;
  });
}

}  // namespace tapegrad::inline TAPEGRAD_ABI::simd
