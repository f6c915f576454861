// Noise in double, which has loops of its own.
#include <cmath>
#include <numbers>

#include "catch.hpp"
#include "tapegrad/core/random.hpp"

using namespace tapegrad;

TEST_CASE("noise in double is made of Philox blocks") {
  Tensor uniform({1003}), normal({1003});
  Rng rng(7);
  const std::uint64_t key = rng.state().key;
  rng.uniform(uniform, -1, 3);
  rng.normal(normal, 5, 2);
  for (Index i = 0; i < uniform.size(); ++i) {
    const auto block = static_cast<std::uint32_t>(i / 4);
    const auto word = static_cast<std::size_t>(i % 4), pair = word / 2 * 2;
    const auto words = [&](std::uint32_t counter) {
      return philox4x32({counter, 0, 0, 0}, {static_cast<std::uint32_t>(key), static_cast<std::uint32_t>(key >> 32)});
    };
    REQUIRE(uniform[i] == (words(block)[word] >> 8) * 0x1p-22 - 1);
    const PhiloxBlock drawn = words(block + 251);  // behind the 251 blocks of the first tensor
    const double radius = std::sqrt(-2 * std::log((drawn[pair] + 0.5) * 0x1p-32));
    const double angle = 2 * std::numbers::pi * 0x1p-32 * drawn[pair + 1];
    REQUIRE(normal[i] == Approx(5 + 2 * radius * (word == pair ? std::cos(angle) : std::sin(angle))).epsilon(1e-14));
  }
}
