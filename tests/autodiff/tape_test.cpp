#include <algorithm>
#include <memory>
#include <random>
#include <thread>
#include <vector>

#include "catch.hpp"
#include "sanitizers.hpp"
#include "toy_ops.hpp"

using namespace toy;

namespace {

const char first_name[] = "name", second_name[] = "name";

template <auto& text>
struct Named {
  static constexpr const char* name = text;
  Shape shape(const Shape& x) const { return x; }
  void forward(ConstTensorView x, TensorView y) const { y.copy_from(x); }
  void backward(ConstTensorView, ConstTensorView, ConstTensorView, Gradient) const {}
};

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
  CHECK(first.grad()[0] == 1);
  second.backward();
  CHECK(first.grad()[0] == 0);
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
  p.set_requires_grad(false);
  CHECK(p.grad()[0] == 3);  // as it was
}

TEST_CASE("what is made of frozen parameters alone requires no gradient, also when they are thawed later") {
  Tape tape;
  Parameter frozen(two);
  frozen.set_requires_grad(false);
  const Var y = product(tape.parameter(frozen), tape.parameter(frozen));
  CHECK_FALSE(y.requires_grad());
  frozen.set_requires_grad(true);
  CHECK_THROWS_AS(y.backward(), TapeError);
}

TEST_CASE("no_grad() switches recording off while it lives") {
  Tape tape;
  Parameter p(two);
  {
    const auto guard = tape.no_grad();
    CHECK_FALSE(product(tape.parameter(p), tape.variable(three)).requires_grad());
    { const auto inner = tape.no_grad(); }
    CHECK_FALSE(product(tape.parameter(p), tape.variable(three)).requires_grad());
    const auto not_off = tape.no_grad(false);
    CHECK_FALSE(product(tape.parameter(p), tape.variable(three)).requires_grad());
  }
  const auto not_off = tape.no_grad(false);
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

TEST_CASE("Eigen's matrices, arrays and expressions are values as the tensors made of them are") {
  Tape tape;
  const Eigen::Matrix<double, 2, 3> m{{1, 2, 3}, {4, 5, 6}};  // column by column
  CHECK(same_bits(tape.constant(m).value(), Tensor({2, 3}, {1, 2, 3, 4, 5, 6})));
  CHECK(same_bits(tape.constant(m.row(1)).value(), Tensor({3}, {4, 5, 6})));
  const Var x = tape.variable(m.array() + 1);
  CHECK(same_bits(x.value(), Tensor({2, 3}, {2, 3, 4, 5, 6, 7})));
  CHECK(x.requires_grad());
}

TEST_CASE("a borrowed value is not copied") {
  Tape tape;
  const Tensor kept({3}, Scalar(1));
  CHECK(tape.borrow(kept).value().data() == kept.data());
  CHECK(tape.constant(kept).value().data() != kept.data());
}

TEST_CASE("asking for a gradient that is none takes memory once") {
  Tape tape;
  Var x = tape.variable(Tensor({1000}));
  CHECK(x.grad()[999] == 0);
  const std::size_t bytes = tape.bytes();
  for (int i = 0; i < 1000; ++i) x.grad();
  CHECK(tape.bytes() == bytes);
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
  tape.set_profiling(false);
}

TEST_CASE("a profile has one row for each name, wherever the name lies") {
  Tape tape;
  tape.set_profiling(true);
  Var x = tape.variable(two);
  apply(Named<first_name>{}, x);
  apply(Named<second_name>{}, x);
  REQUIRE(tape.profile().size() == 1);
  CHECK(tape.profile()[0].calls == 2);
}

TEST_CASE("a pass that needs a larger block than the last skips the smaller ones") {
  Tape tape;
  for (int pass = 0; pass < 2; ++pass) {
    tape.reset();
    for (int i = 0; i < 3; ++i) tape.constant(Tensor({12000}));
  }
  tape.reset();
  tape.constant(Tensor({12000}));
  const Var large = tape.constant(Tensor({500000}, 1));
  CHECK((large.value().array() == 1).all());
  CHECK(tape.bytes() >= 500000 * sizeof(Scalar));
}

TEST_CASE("a tensor that fills a block to its end fills it again in the next pass") {
  Tape tape;
  const Tensor small({1}), large({Index{1} << 20});  // which a block of its own is made for, behind the first one
  std::size_t bytes = 0;
  for (int pass = 0; pass < 2; ++pass) {
    tape.reset();
    tape.constant(small);
    tape.constant(large);
    if (pass == 0) bytes = tape.bytes();
  }
  CHECK(tape.bytes() == bytes);
}

TEST_CASE("noise made on the tape is the generator's") {
  Tape tape;
  Rng one(4), other(4);
  Tensor expected({5, 3});
  one.normal(expected);
  CHECK(same_bits(tape.randn({5, 3}, other).value(), expected));
  CHECK(one.state() == other.state());
}

TEST_CASE("no_grad() holds for what was there before, and for leaves") {
  Tape tape;
  Parameter p(two);
  Var x = tape.variable(two);
  const auto guard = tape.no_grad();
  CHECK_FALSE(product(x, x).requires_grad());
  CHECK_FALSE(tape.variable(two).requires_grad());
  CHECK_FALSE(tape.parameter(p).requires_grad());
}

TEST_CASE("a result's gradient is zeros before any backward pass") {
  Tape tape;
  Var x = tape.variable(two), y = product(x, x);
  REQUIRE(y.grad().data() != nullptr);
  CHECK(y.grad()[0] == 0);
}

TEST_CASE("a parameter's Var gives the parameter's gradient") {
  Tape tape;
  Parameter p(two);
  Var x = tape.parameter(p);
  product(x, x).backward();
  CHECK(x.grad()[0] == 4);
}

TEST_CASE("a gradient that somebody writes in part is zeros elsewhere, and thawing forgets nothing") {
  Parameter p(two);
  p.mutable_grad().fill(7);
  p.set_requires_grad(true);
  CHECK(p.has_grad());
  p.zero_grad();
  CHECK(p.mutable_grad()[0] == 0);
}

TEST_CASE("bytes() counts all blocks and nodes") {
  Tape tape, nodes;
  for (int i = 0; i < 3; ++i) tape.constant(Tensor({500000}));
  CHECK(tape.bytes() >= 1500000 * sizeof(Scalar));
  const Tensor kept({1});
  for (int i = 0; i < 1000; ++i) nodes.borrow(kept);
  CHECK(nodes.bytes() >= 1000 * sizeof(detail::Node));
}

TEST_CASE("a table of parameters that was cleared is empty") {
  detail::ParameterTable table;
  Parameter p(two);
  table[p] = 1;
  table.clear();
  CHECK(table.size() == 0);
  CHECK(table[p] == detail::ParameterTable::none);
}

TEST_CASE("a table of parameters that grows keeps those of this pass, and none of the last") {
  std::vector<std::unique_ptr<Parameter>> parameters;
  for (int i = 0; i < 40; ++i) parameters.push_back(std::make_unique<Parameter>(two));
  std::mt19937 random(1);
  for (int round = 0; round < 100; ++round) {  // where entries meet is up to the addresses and the order
    detail::ParameterTable table;
    std::shuffle(parameters.begin(), parameters.end(), random);
    for (std::size_t i = 0; i < 31; ++i) table[*parameters[i]] = 0;
    table.clear();
    std::shuffle(parameters.begin(), parameters.end(), random);
    for (std::uint32_t i = 0; i < 40; ++i) table[*parameters[i]] = i;
    CHECK(table.size() == 40);
    for (std::uint32_t i = 0; i < 40; ++i) REQUIRE(table[*parameters[i]] == i);
  }
}

TEST_CASE("what is detached from a parameter is a constant") {
  Tape tape;
  Parameter p(two);
  CHECK(tape.parameter(p).op() == std::string("parameter"));
  CHECK(detach(tape.parameter(p)).op() == std::string("constant"));
}

#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
TEST_CASE("AddressSanitizer knows which numbers of a tape may be read: those of this pass") {
  Tape tape;
  const ConstTensorView small = tape.variable(Tensor({3})).value();
  const ConstTensorView large = tape.variable(Tensor({100'000})).value();  // in a block of its own
  const auto poisoned = [](ConstTensorView numbers) {
    return __asan_region_is_poisoned(const_cast<Scalar*>(numbers.data()),
                                     static_cast<std::size_t>(numbers.size()) * sizeof(Scalar)) != nullptr;
  };
  CHECK_FALSE(poisoned(small));
  CHECK_FALSE(poisoned(large));
  CHECK(poisoned({small.data(), {4}}));
  tape.reset();
  CHECK(poisoned(small));
  CHECK(poisoned(large));
  CHECK(tape.variable(Tensor({3})).value().data() == small.data());
  CHECK_FALSE(poisoned(small));
}
#endif
