// What the registry cannot say of losses: anchors, defaults, options, labels of any integer type.
#include <array>
#include <cmath>
#include <string>
#include <tapegrad/ops/arithmetic.hpp>
#include <tapegrad/ops/classification.hpp>
#include <tapegrad/ops/densities.hpp>
#include <tapegrad/ops/losses.hpp>
#include <tapegrad/ops/reduce.hpp>
#include <vector>

#include "catch.hpp"

namespace tg = tapegrad;
using tg::Index, tg::Reduction, tg::Scalar, tg::Tensor, tg::Var;

namespace {

Tensor random(const tg::Shape& shape, std::uint64_t seed, double low, double high) {
  Tensor result(shape);
  tg::Rng(seed).uniform(result, low, high);
  return result;
}

}  // namespace

TEST_CASE("an image of indifference costs 784 ln 2") {
  tg::Tape tape;
  const Tensor image = random({1, 784}, 1, 0, 1);
  const Var t = tape.constant(image);
  CHECK(bce(tape.constant(Tensor({1, 784}, Scalar(0.5))), t).item() == Approx(784 * std::log(2)));
  CHECK(bce_with_logits(tape.constant(Tensor({1, 784})), t).item() == Approx(784 * std::log(2)));
}

TEST_CASE("at logit 0 the gradient is 0.5 - t, to the bit") {
  tg::Tape tape;
  const Tensor target = random({128, 784}, 2, 0, 1);
  const Var logits = tape.variable(Tensor({128, 784}));
  bce_with_logits(logits, tape.constant(target)).backward();
  for (Index i = 0; i < target.size(); ++i) REQUIRE(logits.grad()[i] == Scalar(0.5) - target[i]);
}

TEST_CASE("bce of probabilities and of logits agree") {
  tg::Tape tape;
  const Tensor logits = random({31, 67}, 3, -5, 5);
  Tensor probabilities(logits.shape());
  tg::simd::sigmoid(logits.data(), probabilities.data(), logits.size());
  const Var t = tape.constant(random({31, 67}, 4, 0, 1));
  CHECK(bce(tape.constant(probabilities), t).item() ==
        Approx(bce_with_logits(tape.constant(logits), t).item()).epsilon(1e-5));
}

TEST_CASE("the target check names the first bad target of a large batch") {
  tg::Tape tape;
  Tensor images({128, 784}, Scalar(0.5));
  images(0, 37) = -1;
  images(127, 783) = -1;
  const Var p = tape.constant(Tensor({128, 784}, Scalar(0.5))), t = tape.constant(images);
  CHECK_THROWS_WITH(bce(p, t),
                    "bce: target -1 at [0, 37] is outside [0, 1]; scale images to [0, 1] (Normalize(0.5, 0.5) makes "
                    "them [-1, 1])");
  CHECK_THROWS_AS(bce_with_logits(p, t), tg::ValueError);

  images(0, 37) = Scalar(0.5);
  images(64, 5) = 2;  // in the midst of what a thread takes
  const Var u = tape.constant(images);
  const std::string advice = "] is outside [0, 1]; scale images to [0, 1] (Normalize(0.5, 0.5) makes them [-1, 1])";
  for (const Reduction reduction : {Reduction::sum, Reduction::none}) {
    CHECK_THROWS_WITH(bce(p, u, reduction), "bce: target 2 at [64, 5" + advice);
    CHECK_THROWS_WITH(bce_with_logits(p, u, reduction), "bce_with_logits: target 2 at [64, 5" + advice);
    CHECK_THROWS_WITH(bernoulli_log_density(u, p, reduction), "bernoulli_log_density: x 2 at [64, 5" + advice);
  }
  CHECK(std::isfinite(bce_with_logits(p, u, Reduction::sum, tg::TargetCheck::off).item()));
}

TEST_CASE("without the target check the loss goes below zero") {
  tg::Tape tape;
  const Var p = tape.constant(Tensor({2}, {Scalar(0.01), Scalar(0.5)})), t = tape.constant(Tensor({2}, {-1, 1}));
  const double expected = std::log(0.01) - 2 * std::log(0.99) + std::log(2);
  CHECK(bce(p, t, Reduction::sum, tg::TargetCheck::off).item() == Approx(expected));
  const Var a = tape.variable(Tensor({2}, {-3, 0}));
  const Var loss = bce_with_logits(a, t, Reduction::sum, tg::TargetCheck::off);
  CHECK(loss.item() == Approx(std::log1p(std::exp(-3)) - 3 + std::log(2)));
  loss.backward();
  CHECK(double{a.grad()[0]} == Approx(1 / (1 + std::exp(3)) + 1));
  CHECK_THROWS_WITH(bce(t, p, Reduction::sum, tg::TargetCheck::off), ContainsSubstring("bce: input -1 at [0]"));
}

TEST_CASE("the defaults: sums for a VAE, means as in PyTorch, terms for densities") {
  tg::Tape tape;
  const Var a = tape.constant(random({4, 5}, 5, 0.1, 0.9)), b = tape.constant(random({4, 5}, 6, 0.1, 0.9));
  CHECK(bce(a, b).item() == bce(a, b, Reduction::sum).item());
  CHECK(bce_with_logits(a, b).item() == bce_with_logits(a, b, Reduction::sum).item());
  CHECK(kl_standard_normal(a, b).item() == kl_standard_normal(a, b, Reduction::sum).item());
  CHECK(kl_normal(a, b, b, a).item() == kl_normal(a, b, b, a, Reduction::sum).item());
  CHECK(mse(a, b).item() == mse(a, b, Reduction::mean).item());
  CHECK(l1(a, b).item() == l1(a, b, Reduction::mean).item());
  CHECK(huber(4 * a, b).item() == huber(4 * a, b, Reduction::mean, 1).item());
  CHECK(normal_log_density(a, b, a).shape() == tg::Shape{4, 5});
  CHECK(bernoulli_log_density(a, b).shape() == tg::Shape{4, 5});
  const std::array labels{0, 4, 2, 2};
  CHECK(cross_entropy(a, labels).item() == cross_entropy(a, labels, Reduction::mean).item());
  CHECK(nll(a, labels).item() == nll(a, labels, Reduction::mean).item());
}

TEST_CASE("divergences from itself are 0, and the two forms agree") {
  tg::Tape tape;
  const Var zeros = tape.constant(Tensor({3, 7}));
  const Var mu = tape.constant(random({3, 7}, 7, -2, 2)), log_var = tape.constant(random({3, 7}, 8, -2, 2));
  CHECK(kl_standard_normal(zeros, zeros).item() == 0);
  CHECK(kl_normal(mu, log_var, mu, log_var).item() == 0);
  const Var narrow = tape.variable(Tensor({3, 7}, sizeof(Scalar) == 4 ? -180 : -1500));  // 1 / sigma is beyond numbers
  CHECK(kl_normal(mu, narrow, mu, narrow).item() == 0);
  const Var density = sum(normal_log_density(mu, mu, narrow));
  CHECK(density.item() == Approx(21 * -0.5 * (narrow.value()[0] + std::log(2 * M_PI))));
  density.backward();
  CHECK(same_bits(narrow.grad(), Tensor({3, 7}, -0.5)));
  CHECK(kl_normal(mu, log_var, zeros, zeros).item() == Approx(kl_standard_normal(mu, log_var).item()));
}

TEST_CASE("a divergence is the mean of the difference of log densities") {
  tg::Tape tape;
  tg::Rng rng(9);
  const Index draws = 200000;
  const Tensor mu({draws, 1}, Scalar(0.5)), log_var({draws, 1}, Scalar(-1)), zeros({draws, 1});
  Tensor z({draws, 1});
  rng.normal(z, 0.5, std::exp(-0.5));
  const Var x = tape.constant(z), none = tape.constant(zeros);
  const Var q = normal_log_density(x, tape.constant(mu), tape.constant(log_var), Reduction::mean);
  const Var p = normal_log_density(x, none, none, Reduction::mean);
  const Var kl = kl_standard_normal(tape.constant(mu), tape.constant(log_var), Reduction::mean);
  CHECK(q.item() - p.item() == Approx(kl.item()).margin(0.01));
}

TEST_CASE("densities become one for each sample by a sum over the last axis") {
  tg::Tape tape;
  const Var x = tape.constant(Tensor({2, 3}, {1, 0, 1, 0, 0, 1})), logits = tape.constant(random({2, 3}, 10, -2, 2));
  const Var each = sum(bernoulli_log_density(x, logits), -1);
  CHECK(each.shape() == tg::Shape{2});
  CHECK(double{each.value()[0]} + double{each.value()[1]} == Approx(-bce_with_logits(logits, x).item()));
}

TEST_CASE("labels may be any range of integers, and need not outlive the call") {
  tg::Tape tape;
  const Var logits = tape.variable(random({3, 4}, 11, -2, 2));
  const std::vector<Index> labels{0, 3, 1};
  const double expected = cross_entropy(logits, labels).item();
  Var loss;
  {
    std::vector<std::uint8_t> bytes{0, 3, 1};
    CHECK(cross_entropy(logits, std::span<const std::uint8_t>(bytes)).item() == expected);
    loss = cross_entropy(logits, bytes);
    bytes.assign({9, 9, 9});
  }
  CHECK(loss.item() == expected);
  loss.backward();
  CHECK(double{sum(tape.constant(Tensor(logits.grad()))).item()} == Approx(0).margin(1e-6));
  CHECK(cross_entropy(logits, std::array<int, 3>{0, 3, 1}).item() == expected);
  CHECK(nll(log_softmax(logits, -1), labels).item() == Approx(expected));
}

TEST_CASE("cross-entropy of huge logits is exact") {
  tg::Tape tape;
  const Var logits = tape.variable(Tensor({2, 3}, {1000, 0, -1000, 1e30f, 1e30f, 0}));
  const Var loss = cross_entropy(logits, std::array{1, 0}, Reduction::none);
  CHECK(double{loss.value()[0]} == 1000);
  CHECK(double{loss.value()[1]} == Approx(std::log(2)).epsilon(1e-6));
  loss.backward(Tensor({2}, {1, 1}));
  CHECK(std::vector<Scalar>(logits.grad().span().begin(), logits.grad().span().end()) ==
        std::vector<Scalar>{1, -1, 0, Scalar(-0.5), Scalar(0.5), 0});
}

TEST_CASE("losses of no labels are 0, however many classes there are") {
  tg::Tape tape;
  for (Index classes : {0, 3, 20000}) {
    const Var x = tape.variable(Tensor({0, classes}));
    CHECK(cross_entropy(x, std::vector<int>(), Reduction::sum).item() == 0);
    CHECK(nll(x, std::vector<int>(), Reduction::sum).item() == 0);
  }
}

TEST_CASE("a huber delta that is 0 as a float is refused") {
  tg::Tape tape;
  const tg::Var x = tape.constant(tg::Tensor({2}));
  if (sizeof(tg::Scalar) == sizeof(float))
    CHECK_THROWS_WITH(tg::huber(x, x, tg::Reduction::mean, 1e-50), "huber: delta is 0; it must be positive and finite");
}

TEST_CASE("losses of unequal shapes speak of reshape where it would help, and only there") {
  tg::Tape tape;
  const auto message = [&](const tg::Shape& input, const tg::Shape& target) {
    try {
      mse(tape.constant(Tensor(input)), tape.constant(Tensor(target)));
    } catch (const tg::ShapeError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  CHECK_THAT(message({2, 3}, {6}), ContainsSubstring("the shapes must be equal (reshape gives a tensor another)"));
  CHECK_THAT(message({2, 3}, {0}), ContainsSubstring("(a batch has no targets where its data set has labels)"));
  CHECK_THAT(message({2, 3}, {3}), Catch::Matchers::EndsWith("the shapes must be equal"));
}
