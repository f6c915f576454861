// The sums over broadcast axes, at sizes where they are cut for threads. In double: rounded to float, sums of doubles
// in another order would be the same.
#include <cmath>
#include <tapegrad/ops/arithmetic.hpp>

#include "catch.hpp"
#include "ops/registry/reference.hpp"
#include "threads.hpp"

namespace tg = tapegrad;
using tg::Index, tg::Scalar, tg::Shape, tg::Tensor, tg::Var;

namespace {

struct Gradients {
  Tensor a, b;
};

Gradients gradients_of_product(const Tensor& a, const Tensor& b, const Tensor& dy, int threads) {
  const Threads guard(threads);
  tg::Tape tape;
  const Var x = tape.variable(a), y = tape.variable(b);
  (x * y).backward(dy);
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
  for (Tensor* tensor : {&a, &b, &dy}) rng.normal(*tensor);  // uniform draws have so few bits that their sums are exact

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
    CHECK(worst < 1e-10);
  };
  check(one.a, b);
  check(one.b, a);
}
