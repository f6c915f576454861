#include "tapegrad/nn/init.hpp"

#include <cmath>

#include "catch.hpp"

namespace tg = tapegrad;
namespace init = tg::nn::init;

namespace {

struct Statistics {
  double mean, std, low, high;
};
/// Of what a scheme draws for a weight of 400 outputs and 250 inputs, 100,000 numbers, with seed 3.
Statistics statistics(const tg::nn::Init& scheme, const tg::Shape& shape = {400, 250}) {
  tg::Rng rng(3);
  tg::Tensor out(shape);
  scheme(out, rng);
  const auto x = out.array().cast<double>();
  const double mean = x.mean();
  return {mean, std::sqrt((x - mean).square().mean()), x.minCoeff(), x.maxCoeff()};
}

/// Mean and standard deviation within 5 standard errors or so; the ends reached but not passed.
void check_uniform(const Statistics& found, double bound) {
  CHECK(found.mean == Approx(0).margin(0.01 * bound));
  CHECK(found.std == Approx(bound / std::sqrt(3.0)).epsilon(0.01));
  CHECK(found.low == Approx(-bound).epsilon(1e-3));
  CHECK(found.high == Approx(bound).epsilon(1e-3));
  CHECK(found.low >= -bound * (1 + 1e-6));
  CHECK(found.high <= bound * (1 + 1e-6));
}
void check_normal(const Statistics& found, double std) {
  CHECK(found.mean == Approx(0).margin(0.02 * std));
  CHECK(found.std == Approx(std).epsilon(0.012));
  CHECK(found.high > 3.5 * std);
  CHECK(found.low < -3.5 * std);
}

}  // namespace

TEST_CASE("the schemes for weights have the variance of their papers") {
  check_uniform(statistics(init::xavier_uniform()), std::sqrt(6.0 / 650));
  check_uniform(statistics(init::xavier_uniform(2)), 2 * std::sqrt(6.0 / 650));
  check_normal(statistics(init::xavier_normal()), std::sqrt(2.0 / 650));
  check_normal(statistics(init::xavier_normal(0.5)), 0.5 * std::sqrt(2.0 / 650));
  check_uniform(statistics(init::kaiming_uniform()), std::sqrt(6.0 / 250));
  check_uniform(statistics(init::kaiming_uniform(std::sqrt(5.0))), 1 / std::sqrt(250.0));
  check_normal(statistics(init::kaiming_normal()), std::sqrt(2.0 / 250));
  check_normal(statistics(init::kaiming_normal(0.2)), std::sqrt(2.0 / 1.04 / 250));
}

TEST_CASE("further axes of a weight count for both fans") {
  check_uniform(statistics(init::kaiming_uniform(), {100, 40, 5, 5}), std::sqrt(6.0 / 1000));
  check_uniform(statistics(init::xavier_uniform(), {100, 40, 5, 5}), std::sqrt(6.0 / 3500));
}

TEST_CASE("uniform, normal and the constants") {
  const Statistics uniform = statistics(init::uniform(2, 6));
  CHECK(uniform.mean == Approx(4).epsilon(0.005));
  CHECK(uniform.low >= 2);
  CHECK(uniform.high <= 6);
  const Statistics normal = statistics(init::normal(-1, 0.1));
  CHECK(normal.mean == Approx(-1).epsilon(0.005));
  CHECK(normal.std == Approx(0.1).epsilon(0.012));
  for (const auto& [scheme, value] :
       {std::pair{init::zeros(), 0.0}, std::pair{init::ones(), 1.0}, std::pair{init::constant(-0.5), -0.5}}) {
    const Statistics found = statistics(scheme);
    CHECK(found.low == value);
    CHECK(found.high == value);
  }
}

TEST_CASE("a scheme that needs fans refuses what has none") {
  tg::Rng rng(1);
  tg::Tensor bias({512}), empty({3, 0});
  CHECK_THROWS_WITH(init::xavier_uniform()(bias, rng),
                    "init: a weight of shape 512 has no fan-in and fan-out; it must be (out, in, ...), none of them 0");
  CHECK_THROWS_AS(init::kaiming_normal()(bias, rng), tg::ShapeError);
  CHECK_THROWS_AS(init::kaiming_uniform()(empty, rng), tg::ShapeError);
}
