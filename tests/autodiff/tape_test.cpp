#include <list>
#include <optional>
#include <thread>

#include "catch.hpp"
#include "tapegrad/autodiff/apply.hpp"

using namespace tapegrad;

namespace {

/// y = a * b, element by element: enough of an op to test the tape with.
struct Product {
  static constexpr const char* name = "product";
  Shape shape(const Shape& a, const Shape& b) const {
    detail::require<ShapeError>(a == b, "product: ", a, " times ", b, "; the shapes must be equal");
    return a;
  }
  void forward(ConstTensorView a, ConstTensorView b, TensorView y) const { y.assign(a.array() * b.array()); }
  void backward(ConstTensorView a, ConstTensorView b, ConstTensorView, ConstTensorView dy, Gradient da,
                Gradient db) const {
    if (da) da += dy.array() * b.array();
    if (db) db += dy.array() * a.array();
  }
};
Var product(Var a, Var b) { return apply(Product{}, a, b); }

/// The sum of any number of inputs.
struct Total {
  static constexpr const char* name = "total";
  Shape shape(std::span<const Shape> shapes) const { return shapes[0]; }
  void forward(std::span<const ConstTensorView> inputs, TensorView y) const {
    y.fill(0);
    for (ConstTensorView x : inputs) y.add(x.array());
  }
  void backward(std::span<const ConstTensorView>, ConstTensorView, ConstTensorView dy,
                std::span<Gradient> gradients) const {
    for (Gradient& dx : gradients)
      if (dx) dx += dy.array();
  }
};
Var total(std::initializer_list<Var> inputs) { return apply_span(Total{}, {inputs.begin(), inputs.size()}); }

/// Multiplies by a factor that forward works out and backward reads.
struct Doubled {
  static constexpr const char* name = "doubled";
  Shape shape(const Shape& x) const { return x; }
  Shape saved(const Shape&) const { return {1}; }
  void forward(ConstTensorView x, TensorView y, TensorView factor) const {
    factor[0] = 2;
    y.assign(x.array() * factor[0]);
  }
  void backward(ConstTensorView, ConstTensorView, ConstTensorView factor, ConstTensorView dy, Gradient dx) const {
    if (dx) dx += dy.array() * factor[0];
  }
};

/// The mean of any number of inputs, which saves by what it divides.
struct Average {
  static constexpr const char* name = "average";
  Shape shape(std::span<const Shape> shapes) const { return shapes[0]; }
  Shape saved(std::span<const Shape>) const { return {1}; }
  void forward(std::span<const ConstTensorView> inputs, TensorView y, TensorView count) const {
    Total{}.forward(inputs, y);
    count[0] = static_cast<Scalar>(inputs.size());
    y.array() /= count[0];
  }
  void backward(std::span<const ConstTensorView>, ConstTensorView, ConstTensorView count, ConstTensorView dy,
                std::span<Gradient> gradients) const {
    for (Gradient& dx : gradients)
      if (dx) dx += dy.array() / count[0];
  }
};

/// Asks for the memory of its gradient, wanted or not, and throws or leaves the gradient.
struct Careless {
  static constexpr const char* name = "careless";
  bool throws;
  Shape shape(const Shape& x) const { return x; }
  void forward(ConstTensorView x, TensorView y) const { y.copy_from(x); }
  void backward(ConstTensorView, ConstTensorView, ConstTensorView dy, Gradient dx) const {
    if (throws) {
      dx.target();
      throw std::runtime_error("backward failed");
    }
    dx += dy.array();
  }
};

/// Throws while it works in chunks, on whatever thread has the seventh.
struct Failing {
  static constexpr const char* name = "failing";
  bool in_backward;
  Shape shape(const Shape& x) const { return x; }
  void forward(ConstTensorView x, TensorView y) const {
    if (!in_backward) fail("forward failed");
    y.assign(x.array());
  }
  void backward(ConstTensorView, ConstTensorView, ConstTensorView, Gradient) const { fail("backward failed"); }

  static void fail(const char* what) {
    parallel_for(100, 10, [&](Index begin, Index) {
      if (begin == 70) throw std::runtime_error(what);
    });
  }
};

struct Layer {
  std::string path() const { return "encoder.fc1"; }
};

const Tensor two({1}, Scalar(2)), three({1}, Scalar(3));

}  // namespace

TEST_CASE("a gradient is the product rule's") {
  Tape tape;
  Var a = tape.variable(two), b = tape.variable(three);
  Var y = product(product(a, b), a);
  CHECK(y.item() == 12);
  y.backward();
  CHECK(a.grad()[0] == 12);
  CHECK(b.grad()[0] == 4);
}

TEST_CASE("an op takes any number of inputs, the same one twice too") {
  Tape tape;
  Var a = tape.variable(two), b = tape.variable(three);
  Var y = total({a, b, a, product(a, a)});
  CHECK(y.item() == 11);
  y.backward();
  CHECK(a.grad()[0] == 6);
  CHECK(b.grad()[0] == 1);
  CHECK_THROWS_WITH(total({}), "total: got no inputs; at least one is needed");
}

TEST_CASE("an op may leave something for backward") {
  Tape tape;
  Var a = tape.variable(three);
  Var y = apply(Doubled{}, a);
  y.backward();
  CHECK(y.item() == 6);
  Var b = tape.variable(two);
  const Var inputs[] = {b, tape.constant(three), b, b};
  Var mean = apply_span(Average{}, inputs);
  mean.backward();
  CHECK(mean.item() == 2.25);
  CHECK(b.grad()[0] == 0.75);
  CHECK(a.grad()[0] == 2);
}

TEST_CASE("gradients of leaves add up over backward passes, those of results do not") {
  Tape tape;
  Var a = tape.variable(two);
  Var y = product(a, a);
  Var z = product(y, y);
  z.backward();
  CHECK(y.grad()[0] == 8);
  CHECK(a.grad()[0] == 32);
  z.backward();
  CHECK(y.grad()[0] == 8);
  CHECK(a.grad()[0] == 64);
}

TEST_CASE("two losses over one tape reach only what they depend on") {
  Tape tape;
  Parameter p(two), q(three);
  Var x = tape.parameter(p), y = tape.parameter(q);
  Var first = product(x, x), second = product(y, detach(first));
  second.backward();
  CHECK(q.grad()[0] == 4);
  CHECK_FALSE(p.has_grad());
  CHECK(p.grad()[0] == 0);
  CHECK(first.grad()[0] == 0);
  first.backward();
  CHECK(p.grad()[0] == 4);
  CHECK(q.grad()[0] == 4);
}

TEST_CASE("zero_grad marks, and the next contribution assigns") {
  Tape tape;
  Parameter p(two);
  for (int pass = 0; pass < 2; ++pass) {
    tape.reset();
    Var x = tape.parameter(p);
    product(x, x).backward();
  }
  CHECK(p.grad()[0] == 8);
  p.zero_grad();
  CHECK_FALSE(p.has_grad());
  CHECK(p.grad()[0] == 0);
  product(tape.parameter(p), tape.constant(three)).backward();
  CHECK(p.grad()[0] == 3);
}

TEST_CASE("a parameter is one Var in a pass, however many there are") {
  Tape tape;
  std::vector<std::unique_ptr<Parameter>> parameters;
  for (int i = 0; i < 300; ++i) parameters.push_back(std::make_unique<Parameter>(Tensor({1}, Scalar(1))));
  for (int pass = 0; pass < 2; ++pass) {
    tape.reset();
    for (auto& p : parameters) tape.parameter(*p);
    for (auto& p : parameters) tape.parameter(*p);
    CHECK(tape.size() == 300);
  }
}

TEST_CASE("a frozen parameter gets no gradient") {
  Tape tape;
  Parameter p(two), frozen(three);
  frozen.set_requires_grad(false);
  product(tape.parameter(p), tape.parameter(frozen)).backward();
  CHECK(p.grad()[0] == 3);
  CHECK_FALSE(frozen.has_grad());
}

TEST_CASE("no_grad() switches recording off while it lives") {
  Tape tape;
  Parameter p(two);
  {
    const auto guard = tape.no_grad();
    CHECK_FALSE(product(tape.parameter(p), tape.variable(three)).requires_grad());
  }
  Var y = product(tape.parameter(p), tape.parameter(p));
  CHECK(y.requires_grad());
  y.backward();
  CHECK(p.grad()[0] == 4);
}

TEST_CASE("a backward pass can start at any shape, from a seed") {
  Tape tape;
  Var x = tape.variable(Tensor({2}, {3, 4}));
  Var y = product(x, x);
  y.backward(Tensor({2}, {1, 10}));
  CHECK(same_bits(x.grad(), Tensor({2}, {6, 80})));
}

TEST_CASE("a borrowed value is not copied") {
  Tape tape;
  const Tensor kept({3}, Scalar(1));
  CHECK(tape.borrow(kept).value().data() == kept.data());
  CHECK(tape.constant(kept).value().data() != kept.data());
}

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
  CHECK_THROWS_AS(Var().value(), TapeError);
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
}

TEST_CASE("a gradient that nobody wants may be added to, and has no memory to write to") {
  const Gradient none;
  none += Tensor({2}).array();
  CHECK_THROWS_WITH(none.target(), "Gradient: this one is not wanted; ask `if (dx)` before target() or accumulator()");
  CHECK_THROWS_AS(none.accumulator(), TapeError);
}

TEST_CASE("asking for a gradient that is none takes memory once") {
  Tape tape;
  Var x = tape.variable(Tensor({1000}));
  CHECK(x.grad()[999] == 0);
  const std::size_t bytes = tape.bytes();
  for (int i = 0; i < 1000; ++i) x.grad();
  CHECK(tape.bytes() == bytes);
}

TEST_CASE("a parameter changed between forward and backward is noticed") {
  Tape tape;
  Parameter p(two);
  Var y = product(tape.parameter(p), tape.parameter(p));
  p.mutable_value()[0] = 5;
  CHECK_THROWS_WITH(y.backward(), ContainsSubstring("product: a parameter was changed between the forward pass and "
                                                    "backward()"));
  Var x = tape.variable(two);
  Var of_detached = product(x, detach(tape.parameter(p)));
  p.mutable_value()[0] = 5;
  CHECK_THROWS_WITH(of_detached.backward(), ContainsSubstring("product: a parameter was changed"));
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
  CHECK_THROWS_WITH(product(x, y), "product: 1 times 2; the shapes must be equal");
}

TEST_CASE("a tape is usable after an op's own exception, in forward or backward, on any thread") {
  const int threads_before = num_threads();
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
    set_num_threads(threads);
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
  set_num_threads(threads_before);
}

TEST_CASE("a tape does not grow over a thousand passes") {
  Tape tape;
  Parameter p(Tensor({30, 40}, Scalar(1)));
  std::size_t bytes = 0;
  for (int pass = 0; pass < 1000; ++pass) {
    tape.reset();
    Var x = tape.parameter(p);
    for (int i = 0; i < 20; ++i) x = product(x, tape.constant(Tensor({30, 40}, Scalar(1))));
    x.backward(Tensor::ones({30, 40}));
    if (pass == 0) bytes = tape.bytes();
  }
  CHECK(tape.bytes() == bytes);
}

TEST_CASE("values and gradients begin at a cache line, whatever stands between them") {
  Tape tape;
  const Tensor number({1}, 1);
  const Var x = tape.variable(number);
  std::vector<Var> vars{x, total({x, x, x})};
  for (int i = 0; i < 100; ++i) vars.push_back(product(total({vars.back(), x}), x));
  vars.back().backward();
  const auto offset = [](ConstTensorView view) { return reinterpret_cast<std::uintptr_t>(view.data()) % 64; };
  for (const Var var : vars) {
    REQUIRE(offset(var.value()) == 0);
    REQUIRE(offset(var.grad()) == 0);
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
  REQUIRE_NOTHROW(step());
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

TEST_CASE("a gradient that somebody writes counts, and adds up with what backward passes find") {
  Parameter p(two);
  p.mutable_grad().fill(3);
  CHECK(p.has_grad());
  CHECK(p.grad()[0] == 3);
  Tape tape;
  tape.parameter(p).backward();
  CHECK(p.grad()[0] == 4);
  p.zero_grad();
  CHECK_FALSE(p.has_grad());
}

TEST_CASE("two tapes on two threads share a model") {
  Parameter p(two);
  const auto evaluate = [&p](double& sum) {
    Tape tape;
    for (int i = 0; i < 1000; ++i) {
      tape.reset();
      const auto guard = tape.no_grad();
      sum += product(tape.parameter(p), tape.parameter(p)).item();
    }
  };
  double here = 0, there = 0;
  std::thread other([&] { evaluate(there); });
  evaluate(here);
  other.join();
  CHECK(here == 4000);
  CHECK(there == 4000);
}

TEST_CASE("a profile counts calls and times both directions") {
  Tape tape;
  Var x = tape.variable(Tensor({100, 100}));
  product(x, x);
  CHECK(tape.profile().empty());
  tape.set_profiling(true);
  product(product(x, x), x).backward(Tensor({100, 100}));
  REQUIRE(tape.profile().size() == 1);
  const OpProfile entry = tape.profile()[0];
  CHECK(entry.name == std::string("product"));
  CHECK(entry.calls == 2);
  CHECK(entry.forward_seconds > 0);
  CHECK(entry.backward_seconds > 0);
  tape.set_profiling(false);
  product(x, x);
  CHECK(tape.profile()[0].calls == 2);
  tape.set_profiling(true);  // afresh
  CHECK(tape.profile().empty());
}

TEST_CASE("noise made on the tape is the generator's") {
  Tape tape;
  Rng one(4), other(4);
  Tensor expected({5, 3});
  one.normal(expected);
  CHECK(same_bits(tape.randn({5, 3}, other).value(), expected));
  CHECK(one.state() == other.state());
}
