#include "tapegrad/nn/ema.hpp"

#include "catch.hpp"
#include "tapegrad/nn/linear.hpp"

using namespace tapegrad;

TEST_CASE("an average starts as the model is, and follows it") {
  Rng rng(1);
  nn::Linear model(rng, 3, 2), average(rng, 3, 2);
  nn::EMA ema(model, average, {.decay = 0.75});
  CHECK(same_bits(average.weight.value(), model.weight.value()));

  model.bias->mutable_value().fill(4);
  average.bias->mutable_value().fill(0);
  ema.update_parameters();
  CHECK((average.bias->value().array() == 1).all());
  ema.update_parameters();
  CHECK((average.bias->value().array() == Scalar(1.75)).all());
  CHECK((model.bias->value().array() == 4).all());
  CHECK(same_bits(average.weight.value(), model.weight.value()));
}

TEST_CASE("an average that forgets at once is the model, whatever it was") {
  Rng rng(1);
  nn::Linear model(rng, 3, 2), average(rng, 3, 2);
  nn::EMA ema(model, average, {.decay = 0});
  average.weight.mutable_value().fill(std::numeric_limits<Scalar>::infinity());
  average.bias->mutable_value().fill(Scalar(1e8));
  ema.update_parameters();
  CHECK(same_bits(average.weight.value(), model.weight.value()));
  CHECK(same_bits(average.bias->value(), model.bias->value()));
}

TEST_CASE("the share of the model is not rounded from 1") {
  Rng rng(1);
  nn::Linear model(rng, 3, 2), average(rng, 3, 2);
  nn::EMA ema(model, average, {.decay = 0.9999});
  model.bias->mutable_value().fill(1);
  average.bias->mutable_value().fill(0);
  ema.update_parameters();
  CHECK(average.bias->value()[0] == Approx(1e-4).epsilon(1e-6));
}

TEST_CASE("an average that cannot be is refused") {
  Rng rng(1);
  nn::Linear model(rng, 3, 2), average(rng, 3, 2), other(rng, 2, 2);
  CHECK_THROWS_WITH(nn::EMA(model, average, {.decay = 1}), "ema: decay = 1; it must be in [0, 1)");
  CHECK_THROWS_WITH(nn::EMA(model, average, {.decay = std::nan("")}), "ema: decay = nan; it must be in [0, 1)");
  CHECK_THROWS_WITH(nn::EMA(model, model), "ema: the average is the model itself; make a second one");
  CHECK_THROWS_WITH(nn::EMA(model, other), ContainsSubstring("shapes differ: \"weight\" (2x3 in `from`, 2x2 in `to`)"));
}

TEST_CASE("an average goes by names, whatever the order, and follows what is frozen on either side") {
  struct Model : nn::Module {
    using Module::Module;
    nn::Parameter a{*this, "a", Tensor({1})}, b{*this, "b", Tensor({1})};
  };
  struct Turned : nn::Module {
    using Module::Module;
    nn::Parameter b{*this, "b", Tensor({1})}, a{*this, "a", Tensor({1})};
  };
  Rng rng(1);
  Model model(rng);
  Turned average(rng);
  nn::EMA ema(model, average, {.decay = 0.5});
  model.a.mutable_value().fill(2);
  model.b.mutable_value().fill(4);
  model.a.set_requires_grad(false);
  average.set_requires_grad(false);
  ema.update_parameters();
  CHECK(average.a.value()[0] == 1);
  CHECK(average.b.value()[0] == 2);
}
