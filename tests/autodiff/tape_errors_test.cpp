// What a tape refuses, and that it is as good as new after an error.
#include <list>
#include <optional>

#include "catch.hpp"
#include "threads.hpp"
#include "toy_ops.hpp"

using namespace toy;

TEST_CASE("misuse of Vars is told in words") {
  Tape tape, other;
  Var stale = tape.variable(two);
  tape.reset();
  Var x = tape.variable(two);
  CHECK_THROWS_WITH(product(x, stale),
                    "product: a Var of pass 1, but the tape is in pass 2; reset() ends a pass, and "
                    "Vars do not outlive it: make them anew");
  CHECK_THROWS_AS(stale.value(), TapeError);
  CHECK_THROWS_WITH(product(x, other.variable(two)), "product: Vars of two tapes; all of a computation is on one tape");
  CHECK_THROWS_WITH(product(x, Var()), ContainsSubstring("product: a Var of no tape"));
  CHECK_THROWS_WITH(product(Var(), x), ContainsSubstring("product: a Var of no tape"));
  CHECK_THROWS_WITH(detach(Var()), ContainsSubstring("detach: a Var of no tape"));
  CHECK_THROWS_WITH(Var().value(), ContainsSubstring("Var::value: a Var of no tape"));
  CHECK_THROWS_WITH(tape.constant(two).backward(),
                    ContainsSubstring("nothing this Var depends on requires a gradient"));
  CHECK_THROWS_WITH(tape.constant(two).grad(), ContainsSubstring("this Var requires no gradient"));
  Var wide = tape.variable(Tensor({2, 3}));
  CHECK_THROWS_WITH(wide.backward(), ContainsSubstring("backward: the Var's shape is 2x3; reduce it to one element"));
  CHECK_THROWS_WITH(wide.backward(two), "backward: the seed is 1, the Var is 2x3; the shapes must be equal");
}

TEST_CASE("gradients that a backward began and did not end are forgotten") {
  Tape tape;
  Parameter p(two), before(three);
  Var x = tape.variable(two);
  apply(Careless{false}, tape.parameter(before)).backward();
  CHECK_THROWS_WITH(total({apply(Careless{true}, tape.parameter(p)), x}).backward(), "backward failed");
  CHECK_FALSE(p.has_grad());
  CHECK(before.grad()[0] == 1);
  CHECK(x.grad()[0] == 0);
  tape.reset();
  apply(Careless{false}, tape.parameter(p)).backward();
  CHECK(p.grad()[0] == 1);

  p.zero_grad();
  p.mutable_grad().fill(1);
  Tape other;  // which leaves alone what it does not reach
  other.parameter(p);
  CHECK_THROWS_WITH(apply(Careless{true}, other.variable(two)).backward(), "backward failed");
  CHECK(p.grad()[0] == 1);
}

TEST_CASE("so are those of a backward that an error of the library's own ended") {
  Tape tape;
  Parameter p(two);
  CHECK_THROWS_AS(apply(Unaware{true}, tape.parameter(p)).backward(), ShapeError);
  CHECK_FALSE(p.has_grad());
}

TEST_CASE("a parameter's Var is not computed with once the parameter has changed, nor is its detached one") {
  Tape tape;
  Parameter p(two);
  const Var old = tape.parameter(p), detached = detach(old), copied = tape.constant(p.value());
  p.mutable_value()[0] = 5;
  const std::string refusal = "product: a parameter was changed after this pass read it; ask the tape for it again";
  CHECK_THROWS_WITH(product(old, copied), ContainsSubstring(refusal));
  CHECK_THROWS_WITH(product(copied, detached), ContainsSubstring(refusal));
  CHECK(product(tape.parameter(p), copied).item() == 10);
}

TEST_CASE("what an op of one's own does wrong is told with its name") {
  Tape tape;
  Var x = tape.variable(two);
  const std::string message = "unaware: tensor: an expression of 3 elements for shape 1, which has 1";
  CHECK_THROWS_WITH(apply(Unaware{false}, x), message);
  CHECK_THROWS_WITH(apply(Unaware{true}, x).backward(), message);
}

TEST_CASE("zero_grad of a Var forgets its gradient: rows of a Jacobian") {
  Tape tape;
  Parameter p(three);
  const Var x = tape.variable(Tensor({2}, {1, 2})), y = product(x, x), w = tape.parameter(p);
  for (Index row : {0, 1}) {
    Tensor seed({2});
    seed[row] = 1;
    x.zero_grad();
    y.backward(seed);
    CHECK(x.grad()[row] == 2 * x.value()[row]);
    CHECK(x.grad()[1 - row] == 0);
  }
  product(w, w).backward();
  detach(w).zero_grad();
  CHECK(p.has_grad());
  w.zero_grad();
  CHECK_FALSE(p.has_grad());
  CHECK_THROWS_WITH(Var().zero_grad(), ContainsSubstring("zero_grad: a Var of no tape"));
}

TEST_CASE("a gradient that nobody wants may be added to, and has no memory to write to") {
  const Gradient none;
  none += Tensor({2}).array();
  CHECK_THROWS_WITH(none.target(), "Gradient: this one is not wanted; ask `if (dx)` before target() or accumulator()");
  CHECK_THROWS_AS(none.accumulator(), TapeError);
}

TEST_CASE("a parameter changed between forward and backward is noticed") {
  Tape tape;
  Parameter p(two);
  Var y = product(tape.parameter(p), tape.parameter(p));
  p.mutable_value()[0] = 5;
  CHECK_THROWS_WITH(y.backward(), ContainsSubstring("product: a parameter was changed after this pass read it; step "));
  Var x = tape.variable(two);
  Var of_detached = product(x, detach(tape.parameter(p)));
  p.mutable_value()[0] = 5;
  CHECK_THROWS_WITH(of_detached.backward(), ContainsSubstring("product: a parameter was changed"));
  Var of_many = total({x, tape.parameter(p)});
  p.mutable_value()[0] = 5;
  CHECK_THROWS_WITH(of_many.backward(), ContainsSubstring("total: a parameter was changed"));
  Var again = product(tape.parameter(p), tape.parameter(p));
  p.zero_grad();
  again.backward();
  CHECK(p.grad()[0] == 10);
}

TEST_CASE("errors say in which layer they happened") {
  Tape tape;
  const Layer layer;
  Var x = tape.variable(two), y = tape.variable(Tensor({2}));
  const auto inside = [&] {
    const Tape::Scope scope(tape, layer);
    return product(x, y);
  };
  CHECK_THROWS_WITH(inside(), "product: 1 times 2; the shapes must be equal [encoder.fc1]");
  const auto after_inner = [&] {
    const Layer outer{"encoder"};
    const Tape::Scope scope(tape, outer);
    { const Tape::Scope inner(tape, layer); }
    product(x, y);
  };
  CHECK_THROWS_WITH(after_inner(), "product: 1 times 2; the shapes must be equal [encoder]");
  CHECK_THROWS_WITH(product(x, y), "product: 1 times 2; the shapes must be equal");
}

TEST_CASE("a tape is usable after an op's own exception, in forward or backward, on any thread") {
  Tape tape;
  Parameter p(two);
  const Layer layer;
  const auto fail = [&](bool in_backward) {
    tape.reset();
    const Tape::Scope scope(tape, layer);
    Var x = tape.parameter(p);
    Var y = apply(Failing{in_backward}, product(x, x));
    REQUIRE(in_backward);
    product(x, y).backward();  // which reaches p before it fails
  };
  const auto fail_watched = [&](bool in_backward) {
    const auto guard = tape.detect_anomaly();
    fail(in_backward);
  };
  for (int threads : {1, 2}) {
    const Threads guard(threads);
    for (bool in_backward : {false, true}) {
      const std::string message = in_backward ? "backward failed" : "forward failed";
      CHECK_THROWS_WITH(fail(in_backward), message);
      CHECK_THROWS_WITH(fail_watched(in_backward), message);
      tape.reset();
      p.zero_grad();
      Var x = tape.parameter(p), y = tape.variable(three);
      product(product(x, x), y).backward();
      CHECK(p.grad()[0] == 12);
      CHECK(y.grad()[0] == 4);
      const Var pair = tape.constant(Tensor({2}));
      const Index size = tape.size();
      CHECK_THROWS_WITH(product(x, pair), "product: 1 times 2; the shapes must be equal");
      CHECK_THROWS_WITH(apply(Failing{false}, x), "forward failed");
      CHECK(tape.size() == size);
    }
  }
}

TEST_CASE("a training that forgets reset() is told so, before the memory is full") {
  Tape tape;
  Parameter p(Tensor({1}));
  const auto step = [&] {
    product(tape.parameter(p), tape.parameter(p)).backward();
    p.mutable_value()[0] += 1;
  };
  for (int i = 0; i <= 1000; ++i) step();
  REQUIRE_THROWS_WITH(step(), ContainsSubstring("begin each pass with tape.reset()"));
  tape.reset();
  for (int i = 0; i <= 1000; ++i) REQUIRE_NOTHROW(step());
}

TEST_CASE("many parameters, looked at without gradients and then with, are not taken for a forgotten reset()") {
  Tape tape;
  std::list<Parameter> many;
  for (int i = 0; i < 5000; ++i) many.emplace_back(Tensor({1}));
  const auto read = [&] {
    for (Parameter& p : many) tape.parameter(p);
  };
  {
    const auto guard = tape.no_grad();
    read();
  }
  CHECK_NOTHROW(read());
}

TEST_CASE("a parameter is told from another that lay at the same address before") {
  Tape tape;
  std::optional<Parameter> p;
  for (const Scalar value : {Scalar{1}, Scalar{2}}) {
    p.emplace(Tensor({1}, value));
    CHECK(tape.parameter(*p).item() == static_cast<double>(value));
  }
}

TEST_CASE("a Var is told from one of another tape that lay at the same address before") {
  std::optional<Tape> tape(std::in_place);
  const Var x = tape->variable(two);
  tape.emplace();
  CHECK_THROWS_WITH(x.value(), "Var::value: a Var of a tape that is gone; Vars do not outlive their tape");
}

TEST_CASE("what is detached after its parameter changed counts from when that was read") {
  Tape tape;
  Parameter p(two);
  Var w = tape.parameter(p), x = tape.variable(two);
  p.mutable_value()[0] = 5;
  CHECK_THROWS_WITH(product(x, detach(w)).backward(), ContainsSubstring("product: a parameter was changed"));
}

TEST_CASE("a look without gradients is no change, and each of many parameters may change often") {
  Tape tape;
  Parameter p(two), q(two);
  for (int i = 0; i < 600; ++i) {
    tape.parameter(p);
    const auto guard = tape.no_grad();
    REQUIRE_NOTHROW(tape.parameter(p));
  }
  tape.reset();
  for (int i = 0; i <= 600; ++i) {
    REQUIRE_NOTHROW((tape.parameter(p), tape.parameter(q)));
    p.mutable_value();
    q.mutable_value();
  }
}

namespace {

/// Uses the tape that it runs on, in forward or in backward.
struct Intruder {
  static constexpr const char* name = "intruder";
  void (*in_forward)(Var);
  void (*in_backward)(Var);
  const Var* var;
  Shape shape(const Shape& x) const { return x; }
  void forward(ConstTensorView x, TensorView y) const {
    if (in_forward) in_forward(*var);
    y.copy_from(x);
  }
  void backward(ConstTensorView, ConstTensorView, ConstTensorView dy, Gradient dx) const {
    if (in_backward) in_backward(*var);
    if (dx) dx += dy.array();
  }
};

}  // namespace

TEST_CASE("an op that uses the tape it runs on is refused, and the tape is as good as before") {
  Tape tape;
  const auto message = "intruder: uses the tape that it runs on; an op computes with tensors, or on a tape of its own";
  void (*const uses[])(Var) = {[](Var v) { product(v, v); }, [](Var v) { v.tape().constant(two); },
                               [](Var v) { v.tape().reset(); }, [](Var v) { v.backward(two.view()); }};
  for (const auto use : uses) {
    const Var x = tape.variable(two);
    CHECK_THROWS_AS(apply(Intruder{use, nullptr, &x}, x), TapeError);
    CHECK_THROWS_WITH(apply(Intruder{use, nullptr, &x}, x), message);
    const Var y = apply(Intruder{nullptr, use, &x}, product(x, x));
    CHECK_THROWS_WITH(y.backward(two.view()), message);
    const Var fine = product(x, x);
    fine.backward(two.view());
    CHECK(x.grad()[0] == 2 * two[0] * two[0]);
  }
}

TEST_CASE("noise that is refused within an op is not drawn") {
  Tape tape;
  static Rng rng(1);
  const Var x = tape.variable(two);
  const auto draw = [](Var v) { v.tape().randn({1}, rng); };
  CHECK_THROWS_AS(apply(Intruder{draw, nullptr, &x}, x), TapeError);
  CHECK(rng.state() == Rng(1).state());
}

TEST_CASE("an op may use another tape") {
  Tape tape, inner;
  const Var x = tape.variable(two), y = inner.variable(two);
  const auto use = [](Var v) { product(v, v).backward(two.view()); };
  apply(Intruder{use, use, &y}, x).backward(two.view());
  CHECK(x.grad()[0] == two[0]);
}
