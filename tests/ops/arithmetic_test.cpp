// What the registry cannot say of arithmetic.
#include <limits>
#include <string>
#include <tapegrad/ops/arithmetic.hpp>

#include "catch.hpp"

namespace tg = tapegrad;
using tg::Index, tg::Scalar, tg::Tensor, tg::Var;

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

TEST_CASE("operators with a scalar have the name of the op that was written") {
  tg::Tape tape;
  const Var x = tape.constant(Tensor({1}, {2}));
  CHECK((x + 1).op() == std::string("add"));
  CHECK((x - 1).op() == std::string("sub"));
  CHECK((1 - x).op() == std::string("sub"));
  CHECK((x * 2).op() == std::string("mul"));
  CHECK((x / 2).op() == std::string("div"));
  CHECK((2 / x).op() == std::string("div"));
}

TEST_CASE("minimum and maximum take a number") {
  tg::Tape tape;
  const Var x = tape.variable(Tensor({3}, {-1, 2, 5}));
  const Var least = maximum(x, 0.0), most = minimum(x, 2);
  CHECK(tg::same_bits(Tensor(least.value()), Tensor({3}, {0, 2, 5})));
  CHECK(tg::same_bits(Tensor(most.value()), Tensor({3}, {-1, 2, 2})));
  least.backward(Tensor::ones({3}));
  CHECK(tg::same_bits(Tensor(x.grad()), Tensor({3}, {0, 1, 1})));
}

TEST_CASE("the greater of two gets all of a gradient, be it the smallest there is") {
  tg::Tape tape;
  const Var x = tape.variable(Tensor({1}, {2})), y = tape.variable(Tensor({1}, {1}));
  const Tensor least({1}, {std::numeric_limits<Scalar>::denorm_min()});
  maximum(x, y).backward(least);
  CHECK(tg::same_bits(Tensor(x.grad()), least));
  CHECK(y.grad()[0] == 0);
}

TEST_CASE("compound assignment makes the name stand for the result, and changes nothing else") {
  tg::Tape tape;
  const Var x = tape.variable(Tensor({2}, {3, 5})), y = tape.variable(Tensor({2}, {2, 4}));
  Var z = x;
  z += y;
  CHECK(z.value()[1] == 9);
  z -= x * y;
  CHECK(z.value()[1] == -11);
  z *= y;
  CHECK(z.value()[1] == -44);
  z /= x;  // (x + y - x y) y / x
  CHECK(z.value()[1] == Approx(-8.8));
  CHECK(x.value()[1] == 5);
  z.backward(Tensor::ones({2}));
  CHECK(x.grad()[0] == Approx(-4.0 / 9));  // -y^2 / x^2
  CHECK(x.grad()[1] == Approx(-16.0 / 25));
  CHECK(y.grad()[0] == Approx(1 + 4.0 / 3 - 4));  // 1 + 2 y / x - 2 y
  CHECK(y.grad()[1] == Approx(1 + 8.0 / 5 - 8));
}

TEST_CASE("compound assignment takes any number, chains, and broadcasts as the operator does") {
  tg::Tape tape;
  const Var x = tape.variable(Tensor({2}, {1, 4}));
  Var y = x;
  ((y += 1) *= 0.5) -= std::size_t{2};
  y /= 4L;
  CHECK(y.value()[1] == Scalar(0.125));  // ((4 + 1) / 2 - 2) / 4
  y.backward(Tensor::ones({2}));
  CHECK(x.grad()[0] == Scalar(0.125));
  Var total = tape.constant(Tensor({}, {1}));
  total += x;
  CHECK(total.shape() == tg::Shape{2});
  CHECK(total.value()[1] == 5);
}

TEST_CASE("the gradient of a divisor overflows only where it has to") {
  tg::Tape tape;
  const Var a = tape.constant(Tensor({2}, {1e-35F, 1e30F})), b = tape.variable(Tensor({2}, {1e-10F, 1e10F}));
  (a / b).backward(Tensor({2}, {1e-21F, 1e20F}));
  CHECK(b.grad()[0] == Approx(-1e-36));
  CHECK(b.grad()[1] == Approx(-1e30));
  const Var c = tape.variable(Tensor({1}, 1e10));
  (1e30 / c).backward(Tensor({1}, 1e20));
  CHECK(c.grad()[0] == Approx(-1e30));
  const Var small = tape.variable(Tensor({2}, {1e-20F, 5.5e-20F})), of_none = tape.constant(Tensor({2}, {0, 0.2F}));
  (3 / small).backward(of_none.value());  // as a mask leaves out the first
  CHECK(small.grad()[0] == 0);
  CHECK(small.grad()[1] == Approx(-0.2 * 3 / 5.5e-20 / 5.5e-20));
  small.zero_grad();
  (tape.constant(Tensor({2}, 3)) / small).backward(of_none.value());
  CHECK(small.grad()[0] == 0);
  CHECK(small.grad()[1] == Approx(-0.2 * 3 / 5.5e-20 / 5.5e-20));
}

TEST_CASE("the gradient of a square overflows only where it has to") {
  for (tg::Var (*squared)(tg::Var) : {+[](tg::Var x) { return square(x); }, +[](tg::Var x) { return pow(x, 2); }}) {
    tg::Tape tape;
    const Var x = tape.variable(Tensor({1}, 3e38));
    squared(x).backward(Tensor({1}, 1e-10));
    CHECK(x.grad()[0] == Approx(6e28));
  }
}

TEST_CASE("division by a scalar divides") {
  tg::Tape tape;
  Tensor numbers({1000});
  for (Index i = 0; i < 1000; ++i) numbers[i] = static_cast<Scalar>(i);
  const Var y = tape.constant(numbers) / 41;
  for (Index i = 0; i < 1000; ++i)
    REQUIRE(y.value()[i] == static_cast<Scalar>(i) / 41);  // in float 41 * (1 / 41) is not 1
}

TEST_CASE("clamp may leave a single number") {
  tg::Tape tape;
  const Var y = clamp(tape.constant(Tensor({3}, {-1, 1, 3})), 1, 1);
  CHECK((y.value().array() == 1).all());
}
