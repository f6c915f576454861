// What the registry cannot say of reductions, shapes and pieces.
#include <array>
#include <cmath>
#include <tapegrad/ops/dropout.hpp>
#include <tapegrad/ops/pieces.hpp>
#include <tapegrad/ops/softmax.hpp>
#include <vector>

#include "catch.hpp"

namespace tg = tapegrad;
using tg::Index, tg::Scalar, tg::Shape, tg::Tensor, tg::Var;

TEST_CASE("sums of many numbers are kept in double") {
  tg::Tape tape;
  const Tensor tenths({1000, 1000}, Scalar(0.1));
  const double tenth = double{Scalar(0.1)};
  const Var x = tape.constant(tenths);
  CHECK(sum(x).item() == Approx(1e6 * tenth).epsilon(1e-7));
  CHECK(double{sum(reshape(x, {1000000}), -1).item()} == Approx(1e6 * tenth).epsilon(1e-7));
  CHECK(double{sum(reshape(x, {1000000, 1}), 0).value()[0]} == Approx(1e6 * tenth).epsilon(1e-7));
  CHECK(mean(x).item() == Approx(tenth).epsilon(1e-7));
}

TEST_CASE("rows of a softmax sum to 1") {
  tg::Tape tape;
  Tensor x({17, 1031});
  tg::Rng(1).normal(x, 0, 20);
  const Var rows = sum(softmax(tape.constant(x), -1), -1);
  for (Scalar row : rows.value().span()) CHECK(double{row} == Approx(1).epsilon(1e-6));
}

TEST_CASE("reductions keep an axis on demand, to broadcast against their input") {
  tg::Tape tape;
  const Var x = tape.constant(Tensor({2, 3, 4}));
  CHECK(sum(x, 1).shape() == Shape{2, 4});
  CHECK(sum(x, 1, {.keepdim = true}).shape() == Shape{2, 1, 4});
  CHECK(max(x, 0).shape() == Shape{3, 4});
  CHECK(logsumexp(x, -3, {.keepdim = true}).shape() == Shape{1, 3, 4});
  CHECK(mean(x).shape() == Shape{});
}

TEST_CASE("split gives its parts in order, to be taken apart by a declaration") {
  tg::Tape tape;
  const Var x = tape.variable(Tensor({2, 4}, {1, 2, 3, 4, 5, 6, 7, 8}));
  auto [mu, log_var] = tg::split<2>(x);
  CHECK(same_bits(mu.value(), Tensor({2, 2}, {1, 2, 5, 6})));
  CHECK(same_bits(log_var.value(), Tensor({2, 2}, {3, 4, 7, 8})));
  sum(log_var).backward();
  CHECK(same_bits(x.grad(), Tensor({2, 4}, {0, 0, 1, 1, 0, 0, 1, 1})));
}

TEST_CASE("rows that are gathered twice get both gradients") {
  tg::Tape tape;
  const Var x = tape.variable(Tensor({3, 2}, {1, 2, 3, 4, 5, 6}));
  std::vector<std::uint8_t> indices{2, 0, 2};
  const Var rows = gather_rows(x, indices);
  indices.assign({1, 1, 1});  // the op has a copy
  CHECK(same_bits(rows.value(), Tensor({3, 2}, {5, 6, 1, 2, 5, 6})));
  rows.backward(Tensor({3, 2}, {1, 2, 10, 20, 100, 200}));
  CHECK(same_bits(x.grad(), Tensor({3, 2}, {10, 20, 0, 0, 101, 202})));
}

TEST_CASE("dropout keeps the mean, and draws nothing for p = 0") {
  tg::Tape tape;
  tg::Rng rng(3);
  const Var x = tape.variable(Tensor({100, 1000}, Scalar{1}));
  const auto before = rng.state();
  const Var same = dropout(x, 0, rng);
  CHECK(same.value().data() == x.value().data());
  CHECK(rng.state() == before);

  const Var y = dropout(x, 0.2, rng);
  Index zeros = 0;
  for (Scalar element : y.value().span()) {
    REQUIRE((element == 0 || element == Scalar(1.25)));
    zeros += element == 0;
  }
  // A binomial count: 20000 with a standard deviation of 126.
  CHECK(std::abs(static_cast<double>(zeros) - 20000) < 5 * 126);
  CHECK_FALSE(same_bits(y.value(), dropout(x, 0.2, rng).value()));
  y.backward(Tensor({100, 1000}, Scalar{1}));
  CHECK(same_bits(x.grad(), y.value()));

  for (const Scalar element : dropout(tape.constant(Tensor({100}, INFINITY)), 0.5, rng).value().span())
    CHECK((element == 0 || element == Scalar(INFINITY)));
}

TEST_CASE("an error knows the layer that it happened in") {
  struct Layer {
    std::string path() const { return "encoder.moments"; }
  } layer;
  tg::Tape tape;
  const Var x = tape.constant(Tensor({2, 3}));
  const tg::Tape::Scope scope(tape, layer);
  CHECK_THROWS_WITH(tg::split<2>(x),
                    "split: axis 1 of 2x3 has length 3; it must be a multiple of the 2 parts "
                    "[encoder.moments]");
}

TEST_CASE("the gradient of gather_rows finds its rows' elements, however long rows are") {
  constexpr Index cols = 40000;  // some chunks for threads
  const std::array<Index, 3> indices{3, 1, 3};
  Tensor dy({3, cols});
  tg::Rng(1).uniform(dy, -1, 1);
  tg::Tape tape;
  const Var x = tape.variable(Tensor({4, cols}));
  gather_rows(x, indices).backward(dy);
  const auto wrong = [&](Index row, auto wanted) {
    Index count = 0;
    for (Index col = 0; col < cols; ++col) count += x.grad()[row * cols + col] != wanted(col);
    return count;
  };
  CHECK(wrong(0, [](Index) { return Scalar{0}; }) == 0);
  CHECK(wrong(1, [&](Index col) { return dy[cols + col]; }) == 0);
  CHECK(wrong(2, [](Index) { return Scalar{0}; }) == 0);
  CHECK(wrong(3, [&](Index col) { return dy[col] + dy[2 * cols + col]; }) == 0);
}

TEST_CASE("a long axis can be transposed, though its square is more than memory can address") {
  tg::Tape tape;
  const tg::Index many = tg::Index{1} << 40;
  CHECK(transpose(tape.constant(tg::Tensor({0, many}))).shape() == tg::Shape{many, 0});
  CHECK(max(tape.constant(tg::Tensor({0, 2, many})), 1).shape() == tg::Shape{0, many});
}

TEST_CASE("what works along the last axis makes one node, without a transpose") {
  tg::Tape tape;
  const Var x = tape.constant(Tensor({3, 5}));
  for (int axis : {-1, 1}) {
    INFO("axis " << axis);
    const Index before = tape.size();
    softmax(x, axis);
    log_softmax(x, axis);
    logsumexp(x, axis);
    max(x, axis);
    CHECK(tape.size() == before + 4);
  }
}

TEST_CASE("max's gradient stays within its row where what it was taken of has changed") {
  tg::Tape tape;
  tg::Parameter x(Tensor({2, 3}, {1, 5, 2, 3, 4, 6}));
  const tg::TensorView kept = x.mutable_value();
  const Var most = sum(max(tape.parameter(x), 1));
  kept[1] = 0;
  most.backward();
  CHECK(x.grad().matrix().row(0).sum() == 1);
  CHECK(x.grad().matrix().row(1).sum() == 1);
}
