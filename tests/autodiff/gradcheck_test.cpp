// gradcheck finds what is right and names what is wrong, in float with its looser tolerance.
#include <tapegrad/autodiff/apply.hpp>
#include <tapegrad/autodiff/gradcheck.hpp>

#include "catch.hpp"
#include "toy_ops.hpp"

namespace tg = tapegrad;
using tg::ConstTensorView, tg::Gradient, tg::Shape, tg::Tensor, tg::TensorView, tg::Var;

namespace {

/// y = a b, whose gradient of b is wrong by `error` at one element.
struct Product {
  static constexpr const char* name = "product";
  tg::Scalar error = 0;

  Shape shape(const Shape& a, const Shape&) const { return a; }
  void forward(ConstTensorView a, ConstTensorView b, TensorView y) const { y.assign(a.array() * b.array()); }
  void backward(ConstTensorView a, ConstTensorView b, ConstTensorView, ConstTensorView dy, Gradient da,
                Gradient db) const {
    if (da) da += dy.array() * b.array();
    if (!db) return;
    db += dy.array() * a.array();
    db.accumulator().data()[4] += error;
  }
};

/// A backward that forgets all but the first element of dy.
struct FirstOnly {
  static constexpr const char* name = "first_only";
  Shape shape(const Shape& x) const { return x; }
  void forward(ConstTensorView x, TensorView y) const { y.assign(x.array()); }
  void backward(ConstTensorView, ConstTensorView, ConstTensorView dy, Gradient dx) const {
    dx.accumulator().data()[0] += dy[0];
  }
};

/// 1e-3 x^2, and half of its gradient.
struct Half {
  static constexpr const char* name = "half";
  Shape shape(const Shape& x) const { return x; }
  void forward(ConstTensorView x, TensorView y) const { y.assign(1e-3F * x.array().square()); }
  void backward(ConstTensorView x, ConstTensorView, ConstTensorView dy, Gradient dx) const {
    if (dx) dx += 1e-3F * dy.array() * x.array();
  }
};

auto product(double of) {
  return
      [error = static_cast<tg::Scalar>(of)](std::span<const Var> v) { return tg::apply(Product{error}, v[0], v[1]); };
}

const Tensor a({2, 3}, {1, -2, 3, 0.5, 2, -1}), b({2, 3}, {2, 1, -1, 4, 0.25, 3});

/// 3, and a gradient of `slope`.
struct Flat {
  static constexpr const char* name = "flat";
  tg::Scalar slope;
  Shape shape(const Shape& x) const { return x; }
  void forward(ConstTensorView x, TensorView y) const { y.assign(0 * x.array() + 3); }
  void backward(ConstTensorView, ConstTensorView, ConstTensorView dy, Gradient dx) const {
    if (dx) dx += slope * dy.array();
  }
};

}  // namespace

TEST_CASE("gradcheck passes a right gradient, of a result of any shape") {
  const tg::GradcheckResult result = tg::gradcheck(product(0), {a, b});
  INFO(result.message());
  CHECK(result);
  CHECK(result.error < 1e-3);
  CHECK_THAT(result.message(), ContainsSubstring("gradcheck: ok; worst at input "));
}

TEST_CASE("gradcheck says which derivatives agree where all do exactly") {
  const auto identity = [](std::span<const Var> v) { return tg::apply(FirstOnly{}, v[0]); };
  const tg::GradcheckResult result = tg::gradcheck(identity, {Tensor({1})});
  CHECK(result);
  CHECK(result.analytic != 0);
  CHECK(result.analytic == Approx(result.numeric));
}

TEST_CASE("gradcheck passes over inputs without elements") {
  const auto second = [](std::span<const Var> v) { return tg::apply(FirstOnly{}, v[1]); };
  const tg::GradcheckResult result = tg::gradcheck(second, {Tensor({0}), Tensor({1})});
  CHECK(result);
  CHECK(result.input == 1);
}

TEST_CASE("gradcheck names the element whose gradient is wrong") {
  const tg::GradcheckResult result = tg::gradcheck(product(0.5), {a, b});
  CHECK_FALSE(result);
  CHECK(result.input == 1);
  CHECK(result.element == 4);
  CHECK(result.analytic - result.numeric == Approx(0.5).margin(1e-2));
  CHECK_THAT(result.message(), ContainsSubstring("gradcheck: input 1, element 4: backward gives "));
  CHECK_THAT(result.message(), ContainsSubstring("differences give "));
  CHECK_THAT(result.message(), ContainsSubstring("must be within 0.01"));
}

TEST_CASE("gradcheck holds small gradients to the same measure") {
  // Half of what it should be, and a hundredth of what a float's default tolerance is.
  const auto half = [](std::span<const Var> v) { return tg::apply(Half{}, v[0]); };
  const tg::GradcheckResult result = tg::gradcheck(half, {Tensor({3}, {1, -2, 3})});
  INFO(result.message());
  CHECK_FALSE(result);
  CHECK(result.error == Approx(0.5).epsilon(0.01));
}

TEST_CASE("gradcheck checks parameters that a function puts on the tape, and leaves them as they were") {
  tg::Parameter p(a), q(b);
  tg::Parameter* const parameters[] = {&p, &q};
  for (const double error : {0., 0.5}) {
    const auto f = [&](std::span<const Var> v) {
      return tg::apply(Product{static_cast<tg::Scalar>(error)}, tg::apply(Product{}, v[0], v[0].tape().parameter(p)),
                       v[0].tape().parameter(q));
    };
    const tg::GradcheckResult result = tg::gradcheck(f, {a}, parameters);
    INFO(result.message());
    CHECK(bool(result) == (error == 0));
    if (error > 0) {
      CHECK(result.input == 2);
      CHECK_THAT(result.message(), ContainsSubstring("gradcheck: parameter 1 (2x3), element "));
      tg::Parameter* const other_way_round[] = {&q, &p};
      CHECK_THAT(tg::gradcheck(f, {a}, other_way_round).message(), ContainsSubstring("gradcheck: parameter 0 (2x3), "));
    }
    CHECK(tg::same_bits(p.value(), a));
    CHECK(tg::same_bits(q.value(), b));
  }
}

TEST_CASE("gradcheck passes over frozen parameters, as buffers of modules") {
  tg::Parameter buffer(a);
  tg::Parameter* const parameters[] = {&buffer};
  const auto f = [&](auto v) { return tg::apply(Product{}, v[0], v[0].tape().constant(buffer.value())); };
  CHECK_FALSE(tg::gradcheck(f, {b}, parameters));
  buffer.set_requires_grad(false);
  CHECK(tg::gradcheck(f, {b}, parameters));
  CHECK_THROWS_WITH(tg::gradcheck(f, {Tensor({0})}, parameters),
                    ContainsSubstring("none of the 2 inputs has an element"));
}

TEST_CASE("gradcheck puts a parameter's value back where the function throws") {
  tg::Parameter p(a);
  tg::Parameter* const parameters[] = {&p};
  int calls = 0;
  const auto fails = [&](std::span<const Var> v) {
    if (++calls == 3) throw std::runtime_error("third call");  // which is the first at another point
    return tg::apply(FirstOnly{}, v[0].tape().parameter(p));
  };
  CHECK_THROWS_WITH(tg::gradcheck(fails, {Tensor({0})}, parameters), "third call");
  CHECK(tg::same_bits(p.value(), a));
}

TEST_CASE("gradcheck takes NaN for wrong") {
  const tg::GradcheckResult result = tg::gradcheck(product(std::numeric_limits<double>::quiet_NaN()), {a, b});
  CHECK_FALSE(result);
  CHECK(result.input == 1);
  CHECK(result.element == 4);
}

TEST_CASE("gradcheck holds to the tolerance and the step it is given") {
  CHECK_FALSE(tg::gradcheck(product(0.001), {a, b}, {.step = 1e-2, .tolerance = 1e-4}));
  CHECK(tg::gradcheck(product(0.001), {a, b}, {.tolerance = 0.1}));
}

TEST_CASE("every element of the result counts") {
  CHECK_FALSE(tg::gradcheck([](std::span<const Var> v) { return tg::apply(FirstOnly{}, v[0]); }, {a}));
}

TEST_CASE("gradcheck refuses a function that draws random numbers") {
  tg::Rng rng(1);
  const auto noisy = [&](std::span<const Var> v) {
    return tg::apply(Product{}, v[0], v[0].tape().randn(v[0].shape(), rng));
  };
  CHECK_THROWS_WITH(tg::gradcheck(noisy, {a}),
                    "gradcheck: f gave two values for the same inputs; draw random numbers "
                    "outside of it");
}

TEST_CASE("gradcheck refuses a step or a tolerance of 0") {
  CHECK_THROWS_WITH(tg::gradcheck(product(0), {a, b}, {.tolerance = 0}),
                    ContainsSubstring("and tolerance 0; both must be positive"));
  CHECK_THROWS_WITH(tg::gradcheck(product(0), {a, b}, {.step = 0}),
                    ContainsSubstring("gradcheck: got step 0 and tolerance "));
}

TEST_CASE("gradcheck refuses to find nothing wrong with nothing") {
  const auto first = [](std::span<const Var> v) { return tg::apply(FirstOnly{}, v[0]); };
  CHECK_THROWS_WITH(tg::gradcheck(first, {Tensor({0, 3})}),
                    "gradcheck: none of the 1 inputs has an element that is not frozen; there is nothing to compare");
  CHECK_THROWS_WITH(tg::gradcheck(first, std::span<const Tensor>()),
                    "gradcheck: none of the 0 inputs has an element that is not frozen; there is nothing to compare");
  tg::Parameter* const none[] = {nullptr};
  CHECK_THROWS_WITH(tg::gradcheck(first, {toy::two}, none), "gradcheck: parameter 0 is a null pointer");
}

TEST_CASE("gradcheck does not see gradients of before") {
  tg::Parameter p(toy::two);
  p.mutable_grad().fill(7);
  tg::Parameter* const parameters[] = {&p};
  CHECK(tg::gradcheck([&](auto v) { return toy::product(v[0], v[0].tape().parameter(p)); }, {toy::three}, parameters));
}

TEST_CASE("gradcheck moves large inputs by more, and divides by what rounding left of a step") {
  CHECK(tg::gradcheck([](auto v) { return toy::product(v[0], v[0]); }, {Tensor({1}, {1000000})}));
  const auto shifted = [](auto v) { return toy::total({v[0], v[0].tape().constant(Tensor({1}, tg::Scalar(-0.7)))}); };
  CHECK(tg::gradcheck(shifted, {Tensor({1}, tg::Scalar(0.7))}, {.step = 1e-6, .tolerance = 1e-3}));
}

TEST_CASE("gradcheck of what is flat: a slope is wrong, but not one that rounding hides, and none is right") {
  const auto one = tg::gradcheck([](auto v) { return apply(Flat{1}, v[0]); }, {toy::two});
  CHECK_FALSE(one);
  CHECK(one.error == Approx(1));
  CHECK_THAT(one.message(), ContainsSubstring("their difference is 1 of ") &&
                                ContainsSubstring(" (the largest derivative there) and must be within "));
  const auto hidden = tg::gradcheck([](auto v) { return apply(Flat{tg::Scalar(1e-5)}, v[0]); }, {toy::two});
  CHECK(hidden);
  CHECK(hidden.rounded);
  CHECK(hidden.error * hidden.scale == Approx(std::abs(hidden.analytic)));
  CHECK_THAT(hidden.message(), ContainsSubstring(" (derivatives there are smaller, and rounding hides them) and is "));
  const auto nothing = [](auto v) { return toy::product(v[0], v[0].tape().constant(Tensor({1}, 0))); };
  CHECK(tg::gradcheck(nothing, {toy::two}));
}
