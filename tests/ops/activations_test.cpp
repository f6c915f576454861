// What the registry cannot say of activations.
#include <cmath>
#include <tapegrad/ops/activations.hpp>
#include <tapegrad/ops/elementwise.hpp>

#include "catch.hpp"

namespace tg = tapegrad;
using tg::Scalar, tg::Tensor, tg::Var;

TEST_CASE("activations that are 0 at 0 keep its sign") {
  tg::Tape tape;
  const Var zero = tape.constant(Tensor({1}, {Scalar{-0.0}}));
  for (const Var y : {relu(zero), leaky_relu(zero), elu(zero), silu(zero), gelu(zero), tanh(zero)}) {
    INFO(y.op());
    CHECK(std::signbit(y.value()[0]));
  }
}
