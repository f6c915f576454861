// The sums over broadcast axes at sizes where they are cut for threads, and what the registry cannot say.
#include <cmath>
#include <tapegrad/ops/arithmetic.hpp>

#include "catch.hpp"
#include "ops/registry/reference.hpp"

namespace tg = tapegrad;
using tg::Index, tg::Scalar, tg::Shape, tg::Tensor, tg::Var;

namespace {

struct Gradients {
  Tensor a, b;
};

Gradients gradients_of_product(const Tensor& a, const Tensor& b, const Tensor& dy, int threads) {
  const int before = tg::num_threads();
  tg::set_num_threads(threads);
  tg::Tape tape;
  const Var x = tape.variable(a), y = tape.variable(b);
  (x * y).backward(dy);
  tg::set_num_threads(before);
  return {Tensor(x.grad()), Tensor(y.grad())};
}

}  // namespace

TEST_CASE("gradients of large broadcast inputs are the sums, the same for any number of threads") {
  const auto [a_shape, b_shape] =
      GENERATE(std::pair{Shape{301, 517}, Shape{517}}, std::pair{Shape{1}, Shape{301, 517}},
               std::pair{Shape{301, 517}, Shape{301, 1}}, std::pair{Shape{20011, 3}, Shape{3}},
               std::pair{Shape{3, 1}, Shape{3, 20011}}, std::pair{Shape{3, 1, 200}, Shape{1, 301, 1}});
  CAPTURE(a_shape.str(), b_shape.str());
  const Shape shape = tg::detail::broadcast_shape("mul", a_shape, b_shape);
  Tensor a(a_shape), b(b_shape), dy(shape);
  tg::Rng rng(1);
  for (Tensor* tensor : {&a, &b, &dy}) rng.uniform(*tensor, -1, 1);

  const Gradients one = gradients_of_product(a, b, dy, 1), three = gradients_of_product(a, b, dy, 3);
  CHECK(tg::same_bits(one.a, three.a));
  CHECK(tg::same_bits(one.b, three.b));

  // Each element of dy goes to where the numbers 0, 1, ... land when broadcast as the input is.
  const auto check = [&](const Tensor& got, const Tensor& other) {
    registry::Array places(got.shape()), sums(got.shape());
    for (Index i = 0; i < got.size(); ++i) places[i] = static_cast<double>(i);
    const registry::Array factors{other};
    for (Index i = 0; i < shape.size(); ++i) {
      const auto place = static_cast<Index>(registry::broadcast_element(places, shape, i));
      sums[place] += double{dy[i]} * registry::broadcast_element(factors, shape, i);
    }
    double worst = 0;
    for (Index i = 0; i < got.size(); ++i) worst = std::fmax(worst, std::abs(double{got[i]} - sums[i]));
    CHECK(worst < 1e-5 * std::sqrt(static_cast<double>(shape.size() / got.size())));
  };
  check(one.a, b);
  check(one.b, a);
}

TEST_CASE("one Var on both sides gets both gradients") {
  tg::Tape tape;
  const Var x = tape.variable(Tensor({3}, {1, 2, 3}));
  const Var column = tape.variable(Tensor({3, 1}, {1, 2, 3}));
  const Var seed = tape.constant(Tensor::ones({3}));
  (x * x).backward(seed.value());
  CHECK(x.grad()[2] == 6);
  (x - x).backward(seed.value());
  CHECK(x.grad()[2] == 6);
  maximum(x, x).backward(seed.value());
  CHECK(x.grad()[2] == 7);
  (x * column).backward(Tensor::ones({3, 3}));
  CHECK(x.grad()[0] == 2 + 1 + 6);
}

TEST_CASE("any arithmetic type is taken as a scalar") {
  tg::Tape tape;
  const Var x = tape.variable(Tensor({2}, {1, 4}));
  CHECK((0.1 * x).value()[1] == static_cast<Scalar>(0.4));
  CHECK((x / x.shape().size()).value()[1] == 2);
  CHECK((2 - x).value()[1] == -2);
  CHECK((1 / x).value()[1] == 0.25);
  CHECK((x + std::size_t{3}).value()[1] == 7);
  CHECK((-x).value()[1] == -4);
}

TEST_CASE("division by a scalar divides") {
  tg::Tape tape;
  Tensor numbers({1000});
  for (Index i = 0; i < 1000; ++i) numbers[i] = static_cast<Scalar>(i);
  const Var y = tape.constant(numbers) / 41;
  for (Index i = 0; i < 1000; ++i)
    REQUIRE(y.value()[i] == static_cast<Scalar>(i) / 41);  // in float 41 * (1 / 41) is not 1
}
