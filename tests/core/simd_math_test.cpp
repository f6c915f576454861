#include <cmath>
#include <cstring>
#include <iomanip>
#include <iostream>
#include <limits>
#include <string>
#include <vector>

#include "catch.hpp"
#include "core/simd_isas.hpp"
#include "tapegrad/core/simd/simd.hpp"

namespace tg = tapegrad;
using tg::Index;
using tg::Scalar;

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float not_a_number = std::numeric_limits<float>::quiet_NaN();

struct Function {
  const char* name;
  void (*vector)(const Scalar*, Scalar*, Index);
  long double (*exact)(long double);
  double ulps;  // the bound; the portable kernel without fused multiply-adds has one more
};

const Function functions[] = {
    {"exp", tg::simd::exp, [](long double x) { return std::exp(x); }, 1},
    {"log", tg::simd::log, [](long double x) { return std::log(x); }, 1},
    {"log1p", tg::simd::log1p, [](long double x) { return std::log1p(x); }, 2},
    {"expm1", tg::simd::expm1, [](long double x) { return std::expm1(x); }, 2},
    {"tanh", tg::simd::tanh, [](long double x) { return std::tanh(x); }, 2},
    {"sigmoid", tg::simd::sigmoid, [](long double x) { return 1 / (1 + std::exp(-x)); }, 2.5},
    {"softplus", tg::simd::softplus, [](long double x) { return x > 60 ? x : std::log1p(std::exp(x)); }, 3},
};

/// The error in units of the last place of the exact result; 0 where that is subnormal and `got` is it or 0.
double ulps(float got, long double exact) {
  const float rounded = static_cast<float>(exact);
  if (std::memcmp(&got, &rounded, sizeof(float)) == 0 || (std::isnan(got) && std::isnan(rounded))) return 0;
  if (std::abs(exact) < std::numeric_limits<float>::min())
    return got == 0 ? 0 : static_cast<double>(std::abs(got - exact) / 0x1p-149L);
  if (!std::isfinite(got) || !std::isfinite(rounded)) return infinity;
  const int exponent = std::ilogb(rounded);
  return static_cast<double>(std::abs(got - exact) / std::ldexp(1.0L, exponent - 23));
}

std::vector<float> arguments() {
  std::vector<float> x;
  for (std::uint32_t bits = 0; bits < 0xffffffffu - 9973; bits += 9973) {  // every exponent and sign
    float number = 0;
    std::memcpy(&number, &bits, sizeof(bits));
    if (number == 0 || std::isnormal(number)) x.push_back(number);
  }
  for (int i = -200000; i <= 200000; ++i) x.push_back(static_cast<float>(i) * 5.3e-4f);  // the range that matters
  for (int i = -100000; i <= 100000; ++i) x.push_back(static_cast<float>(i) * 1e-5f);
  return x;
}

struct Worst {
  double ulps;
  float at;
};

/// Of all arguments(), with the instruction set in use.
Worst worst_error(const Function& f) {
  static const std::vector<float> x = arguments();
  std::vector<float> y(x.size());
  f.vector(x.data(), y.data(), static_cast<Index>(x.size()));
  Worst worst{0, 0};
  for (std::size_t i = 0; i < x.size(); ++i)
    if (const double error = ulps(y[i], f.exact(x[i])); error > worst.ulps) worst = {error, x[i]};
  return worst;
}

}  // namespace

TEST_CASE("simd: functions are exact to a few units of the last place", "[simd]") {
  for (tg::Isa isa : machine_isas()) {
    const UseIsa use(isa);
    for (const Function& f : functions) {
      const Worst worst = worst_error(f);
      INFO(f.name << " " << tg::name(isa) << ": " << worst.ulps << " ulp at " << worst.at);
      CHECK(worst.ulps <= f.ulps + (isa == tg::Isa::portable ? 1 : 0));
    }
  }
}

// Not a test, so it runs only when asked for: prints the table in docs/performance.md.
TEST_CASE("simd: table of errors", "[.accuracy]") {
  std::cout << "| function |";
  for (tg::Isa isa : machine_isas()) std::cout << ' ' << tg::name(isa) << " |";
  std::cout << "\n|---|";
  for (std::size_t i = 0; i < machine_isas().size(); ++i) std::cout << "---|";
  std::cout << '\n' << std::fixed << std::setprecision(2);
  for (const Function& f : functions) {
    std::cout << "| " << f.name << " |";
    for (tg::Isa isa : machine_isas()) {
      const UseIsa use(isa);
      std::cout << ' ' << worst_error(f).ulps << " |";
    }
    std::cout << '\n';
  }
}

TEST_CASE("simd: functions at special values", "[simd]") {
  struct Case {
    int function;
    float x;
    float y;
  };
  const float least = std::numeric_limits<float>::min(), most = std::numeric_limits<float>::max();
  const std::vector<Case> cases = {
      {0, not_a_number, not_a_number},
      {0, infinity, infinity},
      {0, -infinity, 0},
      {0, 0, 1},
      {0, -0.0f, 1},
      {0, 89, infinity},
      {0, -88, 0},
      {0, -1e30f, 0},
      {0, most, infinity},
      {0, 1e-40f, 1},
      {1, not_a_number, not_a_number},
      {1, infinity, infinity},
      {1, -infinity, not_a_number},
      {1, 0, -infinity},
      {1, -0.0f, -infinity},
      {1, 1, 0},
      {1, -1, not_a_number},
      {1, -1e-40f, not_a_number},
      {1, 1e-40f, std::log(1e-40f)},
      {2, not_a_number, not_a_number},
      {2, infinity, infinity},
      {2, -1, -infinity},
      {2, -1.5f, not_a_number},
      {2, 0, 0},
      {2, -0.0f, -0.0f},
      {2, 1e-30f, 1e-30f},
      {2, most, std::log(most)},
      {2, -infinity, not_a_number},
      {3, not_a_number, not_a_number},
      {3, infinity, infinity},
      {3, -infinity, -1},
      {3, 0, 0},
      {3, -0.0f, -0.0f},
      {3, 1e-30f, 1e-30f},
      {3, 89, infinity},
      {3, -50, -1},
      {4, not_a_number, not_a_number},
      {4, infinity, 1},
      {4, -infinity, -1},
      {4, 0, 0},
      {4, -0.0f, -0.0f},
      {4, 1e-30f, 1e-30f},
      {4, 20, 1},
      {4, -20, -1},
      {4, least, least},
      {5, not_a_number, not_a_number},
      {5, infinity, 1},
      {5, -infinity, 0},
      {5, 0, 0.5f},
      {5, -0.0f, 0.5f},
      {5, 100, 1},
      {5, -200, 0},
      {6, not_a_number, not_a_number},
      {6, infinity, infinity},
      {6, -infinity, 0},
      {6, 100, 100},
      {6, -200, 0},
  };
  for (tg::Isa isa : machine_isas()) {
    const UseIsa use(isa);
    for (const Case& c : cases) {
      Scalar y[3] = {};
      const Scalar x[3] = {c.x, c.x, c.x};
      const Function& f = functions[c.function];
      f.vector(x, y, 3);
      INFO(f.name << "(" << c.x << ") on " << tg::name(isa) << " is " << y[2] << ", not " << c.y);
      if (std::isnan(c.y)) {
        CHECK(std::isnan(y[2]));
      } else {
        CHECK(y[2] == c.y);
        CHECK(std::signbit(y[2]) == std::signbit(c.y));
      }
    }
  }
}

TEST_CASE("simd: functions have the same bits with AVX2 and AVX-512, wherever an element stands", "[simd]") {
  const std::vector<float> some = arguments();
  std::vector<Scalar> x;
  for (std::size_t i = 0; i < some.size(); i += 7) x.push_back(static_cast<Scalar>(some[i]));
  for (const Function& f : functions) {
    std::vector<Scalar> first;
    for (tg::Isa isa : fused_isas()) {
      const UseIsa use(isa);
      std::vector<Scalar> y(x.size()), shifted = x;
      f.vector(x.data(), y.data(), static_cast<Index>(x.size()));
      if (first.empty()) first = y;
      INFO(f.name << " on " << tg::name(isa));
      CHECK(std::memcmp(first.data(), y.data(), y.size() * sizeof(Scalar)) == 0);
      for (Index cut : {1, 3, 8, 21}) {  // in place, in two parts
        shifted = x;
        f.vector(shifted.data(), shifted.data(), cut);
        f.vector(shifted.data() + cut, shifted.data() + cut, static_cast<Index>(x.size()) - cut);
        CHECK(std::memcmp(first.data(), shifted.data(), y.size() * sizeof(Scalar)) == 0);
      }
    }
  }
}
