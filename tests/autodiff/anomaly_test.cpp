#include <cmath>
#include <limits>

#include "catch.hpp"
#include "tapegrad/autodiff/apply.hpp"

using namespace tapegrad;
using Catch::Matchers::EndsWith;

namespace {

struct SquareRoot {  // whose slope at 0 is infinite
  static constexpr const char* name = "root";
  Shape shape(const Shape& x) const { return x; }
  void forward(ConstTensorView x, TensorView y) const { y.assign(x.array().sqrt()); }
  void backward(ConstTensorView, ConstTensorView y, ConstTensorView dy, Gradient dx) const {
    if (dx) dx += dy.array() / (2 * y.array());
  }
};
Var root(Var x) { return apply(SquareRoot{}, x); }

struct Ratio {
  static constexpr const char* name = "ratio";
  Shape shape(const Shape& a, const Shape&) const { return a; }
  void forward(ConstTensorView a, ConstTensorView b, TensorView y) const { y.assign(a.array() / b.array()); }
  void backward(ConstTensorView, ConstTensorView b, ConstTensorView, ConstTensorView dy, Gradient da, Gradient) const {
    if (da) da += dy.array() / b.array();
  }
};
Var ratio(Var a, Var b) { return apply(Ratio{}, a, b); }

struct Layer {
  std::string path() const { return "model.layer"; }
};

constexpr Scalar infinity = std::numeric_limits<Scalar>::infinity();

}  // namespace

TEST_CASE("detect_anomaly names the op, its layer and its inputs' ranges") {
  Tape tape;
  const auto guard = tape.detect_anomaly();
  const Layer layer;
  const Tape::Scope scope(tape, layer);
  const Var a = tape.constant(Tensor({2, 2}, {1, 2, 3, -4})), b = tape.constant(Tensor({2, 2}, {1, 5, 0, 0}));
  CHECK_THROWS_AS(ratio(a, b), AnomalyError);
  CHECK_THROWS_WITH(
      ratio(a, b), ("ratio: 2 of 4 elements of the result are not finite, the first is inf at [1, 0]; input 0 (2x2) is "
                    "within -4 to 3, input 1 (2x2) is within 0 to 5 [model.layer]"));
}

TEST_CASE("detect_anomaly finds what backward makes") {
  Tape tape;
  const auto guard = tape.detect_anomaly();
  const Layer layer;
  Parameter p(Tensor({3}, {4, 0, 1}));
  const Var x = tape.variable(Tensor({3}, {1, 2, 0}));
  const auto make = [&](Var from) {
    const Tape::Scope scope(tape, layer);
    return root(from);
  };
  const Var y = make(x), q = make(tape.parameter(p));
  CHECK_THROWS_WITH(
      y.backward(Tensor({3}, {1, 1, 2})),
      ("backward of root: 1 of 3 elements of the gradient of input 0 are not finite, the first is inf at [2]; "
       "input 0 (3) is within 0 to 2, the result's gradient (3) is within 1 to 2 [model.layer]"));
  CHECK_THROWS_WITH(q.backward(Tensor({3}, {1, 1, 1})), ContainsSubstring("the first is inf at [1]"));
  tape.reset();  // and the tape is as good as new
  const Var fine = root(tape.variable(Tensor({1}, {4})));
  fine.backward();
  CHECK(fine.item() == 2);
}

TEST_CASE("detect_anomaly looks at the backward of what was computed before it") {
  Tape tape;
  const auto pass = [&] { return root(tape.variable(Tensor({1}, {0}))); };
  {
    const auto guard = tape.detect_anomaly();
    const Layer layer;
    const Tape::Scope scope(tape, layer);
    pass();
  }
  tape.reset();  // which forgets that layer
  const Var y = pass();
  const auto guard = tape.detect_anomaly();
  CHECK_THROWS_WITH(y.backward(), EndsWith("the result's gradient (1) is within 1 to 1"));
}

TEST_CASE("detect_anomaly says nothing of numbers that came in as they are, or while it is off") {
  Tape tape;
  const Var zero = tape.variable(Tensor({1}, {0})), wild = tape.variable(Tensor({1}, {infinity}));
  {
    const auto guard = tape.detect_anomaly();
    CHECK(std::isinf(root(wild).item()));
    root(wild).backward();
    CHECK_THROWS_AS(ratio(zero, zero), AnomalyError);
  }
  CHECK(std::isnan(ratio(zero, zero).item()));
  root(zero).backward();
  CHECK(std::isinf(zero.grad().data()[0]));
}
