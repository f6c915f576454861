#pragma once
// Random numbers from a counter-based generator: Philox 4x32-10 (Salmon, Moraes, Dror, Shaw: Parallel random numbers:
// as easy as 1, 2, 3; SC 2011). The n-th block of numbers is a function of (key, n) alone, so a fill can be cut into
// chunks over threads without changing a bit, and the whole state is two words.

#include <array>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

#include "parallel.hpp"
#include "simd/simd.hpp"
#include "tensor.hpp"

namespace tapegrad::inline TAPEGRAD_ABI {

/// Four 32-bit numbers of the Philox 4x32-10 sequence.
using PhiloxBlock = std::array<std::uint32_t, 4>;

/// Philox 4x32-10: the block that belongs to a 128-bit counter and a 64-bit key.
inline PhiloxBlock philox4x32(PhiloxBlock counter, std::array<std::uint32_t, 2> key) {
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

/// A stream of random numbers. Copying one copies its position: both then draw the same numbers.
///
/// Two draws within one expression happen in whatever order the compiler likes; put each in a statement of its own
/// where the run must be reproducible across compilers.
class Rng {
 public:
  /// All there is to save and restore.
  struct State {
    std::uint64_t key = 0;      ///< which stream
    std::uint64_t counter = 0;  ///< how many blocks were drawn
    friend bool operator==(const State&, const State&) = default;
  };

  explicit Rng(std::uint64_t seed) : state_{seed, 0} {}
  explicit Rng(State state) : state_(state) {}
  State state() const { return state_; }

  /// 64 random bits.
  std::uint64_t bits() {
    const PhiloxBlock block = block_at(state_.counter++);
    return std::uint64_t{block[1]} << 32 | block[0];
  }
  /// A stream of its own, independent of this one's later draws.
  Rng fork() { return Rng(bits()); }

  /// Uniform in [0, 1), with 53 random bits.
  double uniform() { return static_cast<double>(bits() >> 11) * 0x1p-53; }
  /// Uniform among 0 .. n - 1, without bias (Lemire 2019 would save a division; this is not a hot path). Throws
  /// ValueError for n = 0.
  std::uint64_t below(std::uint64_t n) {
    detail::require<ValueError>(n > 0, "Rng::below: got 0; there is no number below it");
    const std::uint64_t limit = ~std::uint64_t{0} - (~std::uint64_t{0} % n + 1) % n;
    std::uint64_t draw = bits();
    while (draw > limit) draw = bits();
    return draw % n;
  }

  /// Fills `out` with numbers uniform in [low, high), of 24 random bits each; rounded, some are `high` where that is
  /// not 0 and close to `low`. Throws ValueError unless the bounds are in order and finite, and so is their difference.
  void uniform(TensorView out, double low = 0, double high = 1) {
    const auto lowest = static_cast<Scalar>(low);
    const auto width = static_cast<Scalar>(high - low);
    detail::require<ValueError>(std::isfinite(lowest) && std::isfinite(width) && low <= high, "Rng::uniform: got [",
                                low, ", ", high, "); the bounds must be in order, and finite, as their difference");
    fill(out, [=](std::uint64_t key, std::uint64_t first, Scalar* numbers, Index count) {
      simd::philox_uniform(key, first, numbers, count, lowest, width);
    });
  }

  /// Fills `out` with draws from N(mean, std^2), by Box and Muller's transform. Throws ValueError unless both are
  /// finite and std is not negative.
  void normal(TensorView out, double mean = 0, double std = 1) {
    const auto centre = static_cast<Scalar>(mean);
    const auto scale = static_cast<Scalar>(std);
    detail::require<ValueError>(std::isfinite(centre) && std::isfinite(scale) && std >= 0, "Rng::normal: got mean ",
                                mean, ", std ", std, "; both must be finite and std not negative");
    fill(out, [=](std::uint64_t key, std::uint64_t first, Scalar* numbers, Index count) {
      simd::philox_normal(key, first, numbers, count, centre, scale);
    });
  }

  /// Fills `out` with 1 (with probability `p`, rounded up to a multiple of 2^-24) and 0. Throws ValueError for a p
  /// outside [0, 1].
  void bernoulli(TensorView out, double p = 0.5) {
    detail::require<ValueError>(p >= 0 && p <= 1, "Rng::bernoulli: got p = ", p, "; a probability is in [0, 1]");
    const auto probability = static_cast<Scalar>(p);
    fill(out, [=](std::uint64_t key, std::uint64_t first, Scalar* numbers, Index count) {
      simd::philox_uniform(key, first, numbers, count, 0, 1);
      for (Index i = 0; i < count; ++i) numbers[i] = numbers[i] < probability ? Scalar{1} : Scalar{0};
    });
  }

  /// The numbers 0 .. n - 1 in a random order (Fisher and Yates), written over `order`.
  void permutation(std::span<Index> order) {
    std::iota(order.begin(), order.end(), Index{0});
    for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[below(i)]);
  }
  /// The same as a new vector. Throws ValueError for a negative n.
  std::vector<Index> permutation(Index n) {
    detail::require<ValueError>(n >= 0, "Rng::permutation: got ", n, "; a count cannot be negative");
    std::vector<Index> order(static_cast<std::size_t>(n));
    permutation(order);
    return order;
  }

 private:
  PhiloxBlock block_at(std::uint64_t position) const {
    return philox4x32({static_cast<std::uint32_t>(position), static_cast<std::uint32_t>(position >> 32), 0, 0},
                      {static_cast<std::uint32_t>(state_.key), static_cast<std::uint32_t>(state_.key >> 32)});
  }

  /// Block i of this fill makes elements 4i .. 4i + 3; the next fill starts at a fresh block.
  template <class Make>
  void fill(TensorView out, const Make& make) {
    static_assert(detail::costly_chunk_size % 4 == 0, "chunks must begin with a block");
    const Index size = out.size();
    parallel_for(size, detail::costly_chunk_size, [&](Index begin, Index end) {
      make(state_.key, state_.counter + static_cast<std::uint64_t>(begin / 4), out.data() + begin, end - begin);
    });
    state_.counter += static_cast<std::uint64_t>((size + 3) / 4);
  }

  State state_;
};

}  // namespace tapegrad::inline TAPEGRAD_ABI
