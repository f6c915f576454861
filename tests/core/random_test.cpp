#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "catch.hpp"
#include "tapegrad/core/random.hpp"
#include "threads.hpp"

using namespace tapegrad;

namespace {

/// The largest distance between the draws' distribution and `cdf` (Kolmogorov and Smirnov), times sqrt(n): above 1.95
/// in one of a thousand cases.
template <class Cdf>
double kolmogorov_smirnov(const Tensor& draws, Cdf cdf) {
  std::vector<double> sorted(draws.span().begin(), draws.span().end());
  std::sort(sorted.begin(), sorted.end());
  const auto n = static_cast<double>(sorted.size());
  double worst = 0;
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    const auto rank = static_cast<double>(i);
    worst = std::max({worst, cdf(sorted[i]) - rank / n, (rank + 1) / n - cdf(sorted[i])});
  }
  return worst * std::sqrt(n);
}

double normal_cdf(double x) { return std::erfc(-x / std::sqrt(2.0)) / 2; }

/// Of cells that should be equally full.
template <std::size_t cells>
double chi_square(const std::array<double, cells>& counts) {
  const double expected = std::accumulate(counts.begin(), counts.end(), 0.0) / cells;
  double sum = 0;
  for (double count : counts) sum += (count - expected) * (count - expected) / expected;
  return sum;
}

}  // namespace

// The published vectors: the file kat_vectors of Random123, "philox4x32 10".
TEST_CASE("Philox gives the published known answers") {
  CHECK(philox4x32({0, 0, 0, 0}, {0, 0}) == PhiloxBlock{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  CHECK(philox4x32({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}) ==
        PhiloxBlock{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
        PhiloxBlock{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("draws have their distributions") {
  Rng rng(20240601);
  Tensor draws({100000});
  rng.uniform(draws);
  CHECK(draws.array().minCoeff() >= 0);
  CHECK(draws.array().maxCoeff() < 1);
  CHECK(kolmogorov_smirnov(draws, [](double x) { return x; }) < 1.95);
  rng.uniform(draws, -2, 3);
  CHECK(kolmogorov_smirnov(draws, [](double x) { return (x + 2) / 5; }) < 1.95);
  rng.normal(draws);
  CHECK(kolmogorov_smirnov(draws, normal_cdf) < 1.95);
  rng.normal(draws, 5, 0.5);
  CHECK(kolmogorov_smirnov(draws, [](double x) { return normal_cdf((x - 5) / 0.5); }) < 1.95);
  rng.bernoulli(draws, 0.3);
  CHECK(((draws.array() == 0) || (draws.array() == 1)).all());
  CHECK(draws.array().template cast<double>().mean() == Approx(0.3).margin(3.3 * std::sqrt(0.21 / 1e5)));
}

TEST_CASE("neighbouring normals are uncorrelated, also the two of one transform") {
  Rng rng(5);
  Tensor draws({100000});
  rng.normal(draws);
  for (Index lag : {1, 2, 3, 4}) {
    const auto n = draws.size() - lag;
    const double correlation = (draws.array().head(n) * draws.array().tail(n)).template cast<double>().mean();
    CHECK(std::abs(correlation) < 3.3 / std::sqrt(1e5));
  }
}

TEST_CASE("below() is uniform: chi-square over ten cells") {
  Rng rng(7);
  std::array<double, 10> counts{};
  for (int i = 0; i < 50000; ++i) ++counts[rng.below(10)];
  CHECK(chi_square(counts) < 27.9);  // 9 degrees of freedom, one of a thousand
}

TEST_CASE("below() has no bias where 2^64 is no multiple of its range") {
  Rng rng(9);
  const std::uint64_t third = std::uint64_t{1} << 62;
  std::array<double, 3> counts{};
  for (int i = 0; i < 30000; ++i) ++counts[rng.below(3 * third) / third];
  CHECK(chi_square(counts) < 13.9);  // 2 degrees of freedom; a remainder alone would give the first third half of all
}

TEST_CASE("uniform() is uniform, and its last bits are random too") {
  Rng rng(13);
  std::vector<double> draws(20000);
  for (double& draw : draws) draw = rng.uniform();
  double odd = 0;
  for (double draw : draws) {
    REQUIRE((draw >= 0 && draw < 1));
    odd += std::fmod(draw * 0x1p53, 2);
  }
  CHECK(odd == Approx(10000).margin(3.3 * std::sqrt(5000.0)));
  Tensor numbers({20000});
  for (std::size_t i = 0; i < draws.size(); ++i) numbers.data()[i] = static_cast<Scalar>(draws[i]);
  CHECK(kolmogorov_smirnov(numbers, [](double x) { return x; }) < 1.95);
}

TEST_CASE("a permutation holds every number once, and each place is uniform") {
  Rng rng(11);
  std::array<double, 5> first{};
  for (int i = 0; i < 20000; ++i) {
    auto order = rng.permutation(5);
    ++first[static_cast<std::size_t>(order[0])];
    std::sort(order.begin(), order.end());
    REQUIRE(order == std::vector<Index>{0, 1, 2, 3, 4});
  }
  CHECK(chi_square(first) < 18.5);  // 4 degrees of freedom
  CHECK(rng.permutation(0).empty());
}

TEST_CASE("what is drawn does not depend on the number of threads") {
  Tensor one({100003}), many({100003});
  const Threads guard(1);
  Rng(3).normal(one);
  for (int threads : {2, 3, 7}) {
    set_num_threads(threads);
    Rng(3).normal(many);
    CHECK(same_bits(one, many));
  }
}

TEST_CASE("a tensor of many numbers has those of its parts, drawn one after another") {
  Tensor whole({10000}), part({1000});
  Rng at_once(3), in_turn(3);
  at_once.uniform(whole);
  for (Index begin = 0; begin < whole.size(); begin += part.size()) {
    in_turn.uniform(part);
    REQUIRE(std::ranges::equal(part.span(), whole.span().subspan(static_cast<std::size_t>(begin), 1000)));
  }
  CHECK(at_once.bits() == in_turn.bits());
}

TEST_CASE("a state can be saved and restored, and says how far the stream is") {
  Rng rng(1);
  Tensor a({10}), b({10});
  rng.normal(a);
  const Rng::State state = rng.state();
  CHECK(state.counter == 3);
  rng.normal(a);
  Rng restored(state);
  restored.normal(b);
  CHECK(same_bits(a, b));
  CHECK(rng.state() == restored.state());
  rng.normal(Tensor({8}).view());  // two blocks of four, and no third
  CHECK(rng.state().counter == 8);
}

TEST_CASE("forks and other seeds are streams of their own") {
  Rng rng(1), other(2);
  Rng fork = rng.fork();
  CHECK(rng.bits() != fork.bits());
  CHECK(rng.fork().bits() != rng.fork().bits());
  CHECK(rng.bits() != other.bits());
}

TEST_CASE("impossible distributions are refused") {
  Rng rng(1);
  Tensor t({2});
  CHECK_THROWS_AS(rng.bernoulli(t, -0.1), ValueError);
  CHECK_THROWS_WITH(rng.bernoulli(t, 1.5), "Rng::bernoulli: got p = 1.5; a probability is in [0, 1]");
  CHECK_THROWS_WITH(rng.normal(t, 0, -1), "Rng::normal: got mean 0, std -1; both must be finite and std not negative");
  CHECK_THROWS_WITH(rng.uniform(t, 1, 0),
                    "Rng::uniform: got [1, 0); the bounds must be in order, and finite, as their difference");
  CHECK_THROWS_AS(rng.uniform(t, 0, INFINITY), ValueError);
  CHECK_THROWS_AS(rng.uniform(t, -3e38, 3e38), ValueError);
  CHECK_THROWS_AS(rng.normal(t, 0, 1e39), ValueError);
  CHECK_THROWS_AS(rng.normal(t, NAN, 1), ValueError);
  CHECK_THROWS_AS(rng.uniform(t, -1e39, -1e39), ValueError);
  CHECK_THROWS_WITH(rng.below(0), "Rng::below: got 0; there is no number below it");
  CHECK_THROWS_WITH(rng.permutation(-1), "Rng::permutation: got -1; a count cannot be negative");
}

TEST_CASE("bits() are two words of a block, of all of the counter and the key") {
  CHECK(Rng(0).bits() == 0xe169c58d6627e8d5);
  const PhiloxBlock block = philox4x32({0x76543210, 0xfedcba98, 0, 0}, {0x9abcdef0, 0x12345678});
  const Rng::State state{0x123456789abcdef0, 0xfedcba9876543210};
  CHECK(Rng(state).bits() == (std::uint64_t{block[1]} << 32 | block[0]));
}

TEST_CASE("below() wastes no draw where 2^64 is a multiple of its range") {
  Rng rng(1);
  for (int i = 0; i < 64; ++i) rng.below(std::uint64_t{1} << 63);
  CHECK(rng.state().counter == 64);
}

TEST_CASE("distributions may be as narrow as a number") {
  Rng rng(1);
  Tensor t({2});
  rng.uniform(t, 2, 2);
  CHECK(same_bits(t, Tensor({2}, 2)));
  rng.normal(t, 3, 0);
  CHECK(same_bits(t, Tensor({2}, 3)));
  rng.bernoulli(t, 1);
  CHECK(same_bits(t, Tensor({2}, 1)));
  Rng(12121362).bernoulli(t, 0);  // its first draw is exactly 0
  CHECK(same_bits(t, Tensor({2}, 0)));
}
