#include <cfenv>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>
#include <random>
#include <utility>
#include <vector>

#include "at_the_edge.hpp"
#include "catch.hpp"
#include "core/simd_isas.hpp"
#include "tapegrad/core/random.hpp"
#include "tapegrad/core/simd/simd.hpp"

namespace tg = tapegrad;
using tg::Index;
using tg::Scalar;
using Numbers = std::vector<Scalar>;

namespace {

const Index sizes[] = {0, 1, 2, 3, 7, 8, 15, 16, 17, 31, 32, 33, 63, 64, 65, 100, 127, 128, 129, 1000, 4099};

Numbers random_numbers(Index n, Scalar low, Scalar high, unsigned seed = 1) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<Scalar> uniform(low, high);
  Numbers x(static_cast<std::size_t>(n));
  for (Scalar& number : x) number = uniform(random);
  return x;
}

bool same_bits(const Numbers& a, const Numbers& b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(Scalar)) == 0);
}

/// What `make(n)`, a vector, is on each instruction set that promises the same bits must be the same.
template <class Make>
void check_same_bits(const Make& make) {
  if (fused_isas().size() < 2) WARN("one such instruction set here: only compared with itself");
  for (Index n : sizes) {
    Numbers first;
    for (tg::Isa isa : fused_isas()) {
      const UseIsa use(isa);
      const Numbers made = make(n);
      if (isa == fused_isas().front()) first = made;
      INFO("n " << n << " isa " << tg::name(isa));
      REQUIRE(same_bits(first, made));
    }
  }
}

}  // namespace

TEST_CASE("simd: reductions", "[simd]") {
  for (tg::Isa isa : machine_isas()) {
    const UseIsa use(isa);
    for (Index n : sizes) {
      INFO("n " << n << " isa " << tg::name(isa));
      const Numbers x = random_numbers(n, -1, 1, 1), y = random_numbers(n, -1, 1, 2);
      double sum = 0, squares = 0, dot = 0;
      Scalar most = -std::numeric_limits<Scalar>::infinity();
      for (std::size_t i = 0; i < x.size(); ++i) {
        sum += double{x[i]};
        squares += double{x[i]} * double{x[i]};
        dot += double{x[i]} * double{y[i]};
        most = std::max(most, x[i]);
      }
      CHECK(tg::simd::sum(x.data(), n) == Approx(sum).margin(1e-12));
      CHECK(tg::simd::sum_of_squares(x.data(), n) == Approx(squares).margin(1e-12));
      CHECK(tg::simd::dot(x.data(), y.data(), n) == Approx(dot).margin(1e-12));
      CHECK(tg::simd::max(x.data(), n) == most);
      for (std::size_t i = 0; i < x.size(); i += 13) {  // NaN wherever it stands
        Numbers with_nan = x;
        with_nan[i] = std::numeric_limits<Scalar>::quiet_NaN();
        CHECK(std::isnan(tg::simd::max(with_nan.data(), n)));
      }
    }
  }
  check_same_bits([](Index n) {
    const Numbers x = random_numbers(n, -1, 1, 1), y = random_numbers(n, -1, 1, 2);
    return Numbers{static_cast<Scalar>(tg::simd::sum(x.data(), n) * 1e3),
                   static_cast<Scalar>(tg::simd::sum_of_squares(x.data(), n)),
                   static_cast<Scalar>(tg::simd::dot(x.data(), y.data(), n) * 1e3), tg::simd::max(x.data(), n)};
  });
}

TEST_CASE("simd: what lies in [0, 1]", "[simd]") {
  const Scalar smallest = std::numeric_limits<Scalar>::min(), infinity = std::numeric_limits<Scalar>::infinity();
  const Scalar outside[] = {-1,       -smallest, std::nextafter(Scalar(1), Scalar(2)),
                            infinity, -infinity, std::numeric_limits<Scalar>::quiet_NaN()};
  for (tg::Isa isa : machine_isas()) {
    const UseIsa use(isa);
    for (Index n : sizes) {
      INFO("n " << n << " isa " << tg::name(isa));
      Numbers x = random_numbers(n, 0, 1);
      if (n > 0) x.front() = 1, x.back() = Scalar(-0.0);
      CHECK(tg::simd::in_unit_interval(x.data(), n));
      for (std::size_t i = 0; i < x.size(); i += 13) {
        for (Scalar number : outside) {
          INFO("x[" << i << "] = " << number);
          const Scalar before = std::exchange(x[i], number);
          CHECK_FALSE(tg::simd::in_unit_interval(x.data(), n));
          x[i] = before;
        }
      }
    }
  }
}

TEST_CASE("simd: column sums", "[simd]") {
  for (tg::Isa isa : machine_isas()) {
    const UseIsa use(isa);
    for (Index rows : {0, 1, 5, 128}) {
      for (Index cols : {0, 1, 10, 32, 33, 100}) {
        const Index stride = cols + 3;
        const Numbers x = random_numbers(rows * stride, -1, 1);
        for (bool add : {false, true}) {
          INFO("rows " << rows << " cols " << cols << " add " << add << " isa " << tg::name(isa));
          Numbers out(static_cast<std::size_t>(cols + 1), Scalar{7});
          Numbers expected = out;
          for (Index j = 0; j < cols; ++j) {
            double sum = 0;
            for (Index i = 0; i < rows; ++i) sum += double{x[static_cast<std::size_t>(i * stride + j)]};
            expected[static_cast<std::size_t>(j)] = static_cast<Scalar>(add ? 7 + sum : sum);
          }
          tg::simd::column_sums(x.data(), rows, cols, stride, out.data(), add);
          CHECK(same_bits(out, expected));
        }
      }
    }
  }
}

TEST_CASE("simd: column means", "[simd]") {
  const Scalar x[] = {1, 2, 9, 4, 8, 9};
  for (tg::Isa isa : machine_isas()) {
    const UseIsa use(isa);
    Scalar means[2];
    tg::simd::column_sums(x, 2, 2, 3, means, false, 2);
    CHECK(means[0] == 2.5);
    CHECK(means[1] == 5);
  }
}

TEST_CASE("simd: nothing beyond the end is read", "[simd]") {
  for (tg::Isa isa : machine_isas()) {
    const UseIsa use(isa);
    for (Index n = 1; n < 40; ++n) {
      const AtTheEdge<std::uint8_t> bytes(n);
      const AtTheEdge<Scalar> x(n), y(n);
      tg::simd::from_bytes(bytes.data(), y.data(), n, 1, 0);
      tg::simd::exp(x.data(), x.data(), n);
      tg::simd::in_unit_interval(x.data(), n);
      tg::simd::sum(x.data(), n);
      tg::simd::max(x.data(), n);
      tg::simd::column_sums(x.data(), 1, n, n, x.data());
      tg::simd::philox_normal(1, 1, x.data(), n, 0, 1);
      tg::simd::bce_with_logits(x.data(), x.data(), x.data(), n);
      tg::simd::adam({}, x.data(), x.data(), y.data(), y.data(), n);
    }
    const AtTheEdge<Index> rows(3);
    const AtTheEdge<std::uint8_t> bytes(5);
    Scalar y[15];
    tg::simd::gather(bytes.data(), rows.data(), 3, 5, y, 1, 0);
  }
}

TEST_CASE("simd: binary cross-entropy of logits", "[simd]") {
  for (tg::Isa isa : machine_isas()) {
    const UseIsa use(isa);
    for (Index n : sizes) {
      INFO("n " << n << " isa " << tg::name(isa));
      const Numbers a = random_numbers(n, -30, 30, 1), t = random_numbers(n, 0, 1, 2);
      Numbers y(a.size()), slopes(a.size());
      tg::simd::bce_with_logits(a.data(), t.data(), y.data(), n);
      tg::simd::bce_with_logits_backward(a.data(), t.data(), Scalar{0.5f}, slopes.data(), n);
      double sum = 0;
      for (std::size_t i = 0; i < a.size(); ++i) {
        const double logit = double{a[i]};
        const double exact = std::fmax(logit, 0.0) - logit * double{t[i]} + std::log1p(std::exp(-std::abs(logit)));
        const double slope = 1 / (1 + std::exp(-logit)) - double{t[i]};
        sum += exact;
        CHECK(y[i] == Approx(exact).epsilon(1e-6).margin(1e-6));
        CHECK(slopes[i] == Approx(0.5 * slope).margin(2e-7));
      }
      CHECK(tg::simd::bce_with_logits_sum(a.data(), t.data(), n) == Approx(sum).epsilon(2e-7));
    }
    // The sum of what is nearly 0 keeps its digits, and one wrong answer among many is not rounded away.
    for (Scalar size : {Scalar{1e-3f}, Scalar{5}, Scalar{20}, Scalar{60}, Scalar{80}}) {
      Numbers a(1000, -size), t(a.size(), Scalar{0});
      const double each = std::log1p(std::exp(-double{size}));
      CHECK(tg::simd::bce_with_logits_sum(a.data(), t.data(), 1000) == Approx(1000 * each).epsilon(5e-7).margin(0));
      a[500] = size;
      CHECK(tg::simd::bce_with_logits_sum(a.data(), t.data(), 1000) ==
            Approx(1000 * each + double{size}).epsilon(5e-7).margin(0));
    }
    // A certain and right prediction costs nothing; at a = 0 the slope is exact.
    const Scalar a[] = {1000, -1000, 0, 0}, t[] = {1, 0, 0.25f, 1};
    Scalar y[4], slope[4];
    tg::simd::bce_with_logits(a, t, y, 4);
    tg::simd::bce_with_logits_backward(a, t, Scalar{1}, slope, 4);
    CHECK(y[0] == 0);
    CHECK(y[1] == 0);
    CHECK(slope[2] == Scalar{0.25f});
    CHECK(slope[3] == Scalar{-0.5f});
  }
  check_same_bits([](Index n) {
    const Numbers a = random_numbers(n, -30, 30, 1), t = random_numbers(n, 0, 1, 2);
    Numbers y(a.size()), slope(a.size());
    tg::simd::bce_with_logits(a.data(), t.data(), y.data(), n);
    tg::simd::bce_with_logits_backward(a.data(), t.data(), Scalar{0.3f}, slope.data(), n);
    y.insert(y.end(), slope.begin(), slope.end());
    y.push_back(static_cast<Scalar>(tg::simd::bce_with_logits_sum(a.data(), t.data(), n)));
    return y;
  });
}

namespace {

struct AdamState {
  explicit AdamState(Index n)
      : p(random_numbers(n, -1, 1, 1)), m(static_cast<std::size_t>(n)), v(static_cast<std::size_t>(n)) {}
  void step(const tg::simd::AdamStep& options, const Numbers& g) {
    tg::simd::adam(options, g.data(), p.data(), m.data(), v.data(), static_cast<Index>(p.size()));
  }
  Numbers p, m, v;
};

}  // namespace

TEST_CASE("simd: Adam follows its formula", "[simd]") {
  const tg::simd::AdamStep steps[] = {{},
                                      {.step = 1e-2, .root_scale = 3, .eps = 1e-4, .l2 = 0.1, .keep = 0.99},
                                      {.l2 = 0.1},
                                      {.keep = 0.99, .shared = true},
                                      {.shared = true}};
  for (tg::Isa isa : machine_isas()) {
    const UseIsa use(isa);
    for (const tg::simd::AdamStep& s : steps) {
      for (Index n : {1, 7, 16, 100, 1000}) {
        AdamState state(n);
        std::vector<double> p(state.p.begin(), state.p.end()), m(p.size()), v(p.size());
        for (unsigned t = 0; t < 20; ++t) {
          const Numbers g = random_numbers(n, -1, 1, t);
          state.step(s, g);
          for (std::size_t i = 0; i < p.size(); ++i) {
            const double slope = double{g[i]} + s.l2 * p[i];
            m[i] = s.beta1 * m[i] + (1 - s.beta1) * slope;
            v[i] = s.beta2 * v[i] + (1 - s.beta2) * slope * slope;
            p[i] = s.keep * p[i] - s.step * m[i] / (s.root_scale * std::sqrt(v[i]) + s.eps);
            REQUIRE(state.p[i] == Approx(p[i]).epsilon(1e-4).margin(1e-5));
          }
        }
      }
    }
  }
  for (const tg::simd::AdamStep& s : steps) {
    check_same_bits([&](Index n) {
      AdamState state(n);
      for (unsigned t = 0; t < 5; ++t) state.step(s, random_numbers(n, -1, 1, t));
      state.p.insert(state.p.end(), state.v.begin(), state.v.end());
      return state.p;
    });
  }
}

TEST_CASE("simd: Adam's moments never become subnormal", "[simd]") {
  for (tg::Isa isa : machine_isas()) {
    const UseIsa use(isa);
    AdamState state(100);
    Numbers g = random_numbers(100, -1e-18f, 1e-18f);  // squares of these are subnormal
    for (int t = 0; t < 2000; ++t) {
      state.step({}, g);
      if (t == 0) std::fill(g.begin(), g.end(), Scalar{0});
      for (std::size_t i = 0; i < 100; ++i) {
        REQUIRE(std::fpclassify(state.m[i]) != FP_SUBNORMAL);
        REQUIRE(std::fpclassify(state.v[i]) != FP_SUBNORMAL);
      }
    }
    CHECK(state.m == Numbers(100));
    CHECK(state.v == Numbers(100));
  }
}

TEST_CASE("simd: the cross-entropy of sure answers makes no subnormal numbers", "[simd]") {
  for (tg::Isa isa : machine_isas()) {
    const UseIsa use(isa);
    INFO("isa " << tg::name(isa));
    const Numbers a = random_numbers(1000, -75, 75), t = random_numbers(1000, 0, 1);
    Numbers y(a.size());
    std::feclearexcept(FE_ALL_EXCEPT);
    tg::simd::bce_with_logits(a.data(), t.data(), y.data(), 1000);
    tg::simd::bce_with_logits_backward(a.data(), t.data(), Scalar{0.01f}, y.data(), 1000);
    CHECK(std::fetestexcept(FE_UNDERFLOW) == 0);
  }
}

TEST_CASE("simd: pixels", "[simd]") {
  std::vector<std::uint8_t> bytes(5 * 37);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(i * 7);
  const Index rows[] = {4, 0, 4, 2};
  for (tg::Isa isa : machine_isas()) {
    const UseIsa use(isa);
    Numbers y(4 * 37 + 1, Scalar{-1});
    tg::simd::gather(bytes.data(), rows, 4, 37, y.data(), 1.0 / 255, 0);
    for (std::size_t i = 0; i < 4; ++i)
      for (std::size_t j = 0; j < 37; ++j)
        REQUIRE(y[i * 37 + j] == static_cast<Scalar>(bytes[static_cast<std::size_t>(rows[i]) * 37 + j]) / 255);
    CHECK(y.back() == -1);
    tg::simd::from_bytes(bytes.data(), y.data(), 37, 2.0 / 255, -1);
    for (std::size_t j = 0; j < 37; ++j) REQUIRE(y[j] == Approx(bytes[j] / 127.5 - 1).margin(1e-6));
  }
}

TEST_CASE("simd: draws with given probabilities", "[simd]") {
  for (tg::Isa isa : machine_isas()) {
    const UseIsa use(isa);
    for (Index n : sizes) {
      INFO("n " << n << " isa " << tg::name(isa));
      Numbers x = random_numbers(n, 0, 1, 1), y(x.size() + 1, Scalar{9});
      const Numbers u = random_numbers(n, 0, 1, 2);
      if (n > 2) x[0] = 0, x[1] = 1, x[2] = u[2];  // never, always, and not for a draw as large
      tg::simd::binarize(x.data(), u.data(), y.data(), n, -1, 3);
      for (std::size_t i = 0; i < x.size(); ++i) REQUIRE(y[i] == (u[i] < x[i] ? 3 : -1));
      CHECK(y.back() == 9);
    }
  }
}

TEST_CASE("simd: noise is made of Philox blocks", "[simd]") {
  const std::uint64_t key = 0x123456789abcdef0, first = 0xfffffff0;  // the counter's lower word overflows
  for (tg::Isa isa : machine_isas()) {
    const UseIsa use(isa);
    for (Index n : sizes) {
      INFO("n " << n << " isa " << tg::name(isa));
      Numbers uniform(static_cast<std::size_t>(n) + 1, Scalar{9}), normal = uniform;
      tg::simd::philox_uniform(key, first, uniform.data(), n, 0, 1);
      tg::simd::philox_normal(key, first, normal.data(), n, 0, 1);
      CHECK(uniform.back() == 9);
      CHECK(normal.back() == 9);
      for (Index i = 0; i < n; ++i) {
        const std::uint64_t counter = first + static_cast<std::uint64_t>(i / 4);
        const tg::PhiloxBlock block =
            tg::philox4x32({static_cast<std::uint32_t>(counter), static_cast<std::uint32_t>(counter >> 32), 0, 0},
                           {static_cast<std::uint32_t>(key), static_cast<std::uint32_t>(key >> 32)});
        const std::size_t word = static_cast<std::size_t>(i % 4), pair = word / 2 * 2;
        REQUIRE(uniform[static_cast<std::size_t>(i)] == static_cast<Scalar>(block[word] >> 8) * 0x1p-24f);
        const double radius = std::sqrt(-2 * std::log((block[pair] + 0.5) * 0x1p-32));
        const double angle = 2 * 3.14159265358979323846 * 0x1p-32 * block[pair + 1];
        const double exact = radius * (word % 2 == 0 ? std::cos(angle) : std::sin(angle));
        REQUIRE(normal[static_cast<std::size_t>(i)] == Approx(exact).epsilon(1e-5).margin(2e-6));
      }
    }
  }
  check_same_bits([&](Index n) {
    Numbers x(static_cast<std::size_t>(n)), y = x;
    tg::simd::philox_normal(key, first, x.data(), n, 3, 2);
    tg::simd::philox_uniform(key, first, y.data(), n, -1, 2);
    x.insert(x.end(), y.begin(), y.end());
    return x;
  });
}

TEST_CASE("simd: normal noise is finite where a word is 0", "[simd]") {
  for (tg::Isa isa : machine_isas()) {
    const UseIsa use(isa);
    INFO("isa " << tg::name(isa));
    Scalar x[4];
    tg::simd::philox_normal(1, 91093890, x, 4, 0, 1);
    CHECK(std::hypot(double{x[0]}, double{x[1]}) == Approx(std::sqrt(-2 * std::log(0x1p-33))).epsilon(1e-5));
  }
}

TEST_CASE("simd: a wish for an instruction set", "[simd]") {
  CHECK(tg::simd::supported(tg::Isa::portable));
  CHECK(std::string(tg::name(tg::Isa::avx512)) == "avx512");
  setenv("TAPEGRAD_ISA", "portable", 1);
  CHECK(tg::simd::detail::choose_isa() == tg::Isa::portable);
  setenv("TAPEGRAD_ISA", "neon", 1);
  CHECK_THROWS_WITH(tg::simd::detail::choose_isa(), "TAPEGRAD_ISA: got neon; it must be portable, avx2 or avx512");
  CHECK_THROWS_AS(tg::simd::detail::choose_isa(), tg::ValueError);
  setenv("TAPEGRAD_ISA", "", 1);
  CHECK(tg::simd::detail::choose_isa() == machine_isas().back());
  unsetenv("TAPEGRAD_ISA");
  CHECK(tg::simd::detail::choose_isa() == machine_isas().back());
}
