#include <cmath>
#include <limits>

#include "catch.hpp"
#include "toy_ops.hpp"

using namespace tapegrad;
using Catch::Matchers::EndsWith;
using toy::product;

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

struct RootOfFirst {
  static constexpr const char* name = "root_of_first";
  Shape shape(const Shape& x, const Shape&) const { return x; }
  void forward(ConstTensorView x, ConstTensorView, TensorView y) const { y.assign(x.array().sqrt()); }
  void backward(ConstTensorView, ConstTensorView, ConstTensorView, ConstTensorView, Gradient, Gradient) const {}
};

const toy::Layer layer{"model.layer"};

constexpr Scalar infinity = std::numeric_limits<Scalar>::infinity();

}  // namespace

TEST_CASE("detect_anomaly names the op, its layer and its inputs' ranges") {
  Tape tape;
  const auto guard = tape.detect_anomaly();
  const Tape::Scope scope(tape, layer);
  const Var a = tape.constant(Tensor({2, 2}, {1, 2, 3, -4})), b = tape.constant(Tensor({2, 2}, {1, 5, 0, 0}));
  CHECK_THROWS_AS(ratio(a, b), AnomalyError);
  CHECK_THROWS_WITH(
      ratio(a, b), ("ratio: 2 of 4 elements of the result are not finite, the first is inf at [1, 0]; input 0 (2x2) is "
                    "within -4 to 3, input 1 (2x2) is within 0 to 5 [model.layer]"));
}

TEST_CASE("detect_anomaly names the layer of the op in backward, whatever was recorded in between") {
  Tape tape;
  const auto guard = tape.detect_anomaly();
  const Var zero = tape.variable(Tensor({1}, {0}));
  const auto inside = [&](const std::string& name, auto make) {
    const toy::Layer named{name};
    const Tape::Scope scope(tape, named);
    return make();
  };
  const Var y = inside("first", [&] { return root(zero); });
  tape.constant(toy::two);
  inside("second", [&] { return product(tape.constant(toy::two), tape.constant(toy::two)); });
  inside("third", [&] { return product(tape.constant(toy::two), tape.constant(toy::two)); });
  CHECK_THROWS_WITH(y.backward(), EndsWith("[first]"));
}

TEST_CASE("detect_anomaly finds what backward makes") {
  Tape tape;
  const auto guard = tape.detect_anomaly();
  Parameter p(Tensor({3}, {4, 0, 1}));
  const Var x = tape.variable(Tensor({3}, {1, 2, 0}));
  const auto make = [&](Var from) {
    const Tape::Scope scope(tape, layer);
    return root(from);
  };
  const Var y = make(x), q = make(tape.parameter(p));
  CHECK_THROWS_WITH(
      y.backward(Tensor({3}, {1, 1, 2})),
      ("root: backward: 1 of 3 elements of the gradient of input 0 are not finite, the first is inf at [2]; "
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

TEST_CASE("detect_anomaly: an input may be empty") {
  Tape tape;
  const auto guard = tape.detect_anomaly();
  CHECK_THROWS_WITH(apply(RootOfFirst{}, tape.constant(Tensor({1}, {-1})), tape.constant(Tensor({0}))),
                    ContainsSubstring("input 0 (1) is within -1 to -1, input 1 (0) is empty"));
}

TEST_CASE("detect_anomaly says nothing of infinities that backward finds there") {
  Tape tape;
  const auto guard = tape.detect_anomaly();
  CHECK_NOTHROW(root(tape.variable(Tensor({1}, {4}))).backward(Tensor({1}, infinity)));              // the seed
  CHECK_NOTHROW(product(tape.variable(toy::two), tape.constant(Tensor({1}, infinity))).backward());  // an input
  Parameter p(toy::two);
  p.mutable_grad().fill(infinity);
  CHECK_NOTHROW(product(tape.parameter(p), tape.parameter(p)).backward());  // a gradient that is added to
}

TEST_CASE("detect_anomaly names the input whose gradient it is, whatever gradients there were") {
  const Tensor big({1}, {Scalar(3e38)}), zero({1}, {0}), four({1}, {4});
  Tape tape;
  Var x = tape.variable(Tensor({1}, {1})), y = product(x, x);
  product(y, y).backward(Tensor({1}, infinity));  // y's gradient was infinite
  Parameter frozen(big);
  frozen.mutable_grad().fill(infinity);
  Var constant;
  {
    const auto off = tape.no_grad();
    constant = tape.parameter(frozen);
  }
  const auto guard = tape.detect_anomaly();
  CHECK_THROWS_WITH(product(tape.variable(big), tape.variable(zero)).backward(four),
                    ContainsSubstring("the gradient of input 1 are not finite"));
  CHECK_THROWS_AS(product(y, tape.constant(big)).backward(four), AnomalyError);
  CHECK_THROWS_AS(product(tape.variable(zero), constant).backward(four), AnomalyError);
}

TEST_CASE("detect_anomaly does not blame the layer of an op that failed before") {
  Tape tape;
  const Var x = tape.variable(Tensor({1}, {0})), one = tape.constant(Tensor({1}, {1}));
  {
    const auto guard = tape.detect_anomaly();
    const Tape::Scope scope(tape, layer);
    CHECK_THROWS_AS(ratio(one, x), AnomalyError);
  }
  const Var y = root(x);
  const auto guard = tape.detect_anomaly();
  CHECK_THROWS_WITH(y.backward(), !ContainsSubstring("layer"));
}
