#include "tapegrad/nn/module.hpp"

#include <memory>
#include <optional>

#include "catch.hpp"
#include "tapegrad/nn/linear.hpp"
#include "tapegrad/nn/sequential.hpp"
#include "tapegrad/ops/reduce.hpp"

namespace tg = tapegrad;
namespace nn = tg::nn;

namespace {

struct Encoder : nn::Module {
  using Module::Module;
  nn::Linear fc1{*this, "fc1", 6, 4};
  nn::Linear fc2{*this, "fc2", 4, 2, {.bias = false}};
};

struct Model : nn::Module {
  using Module::Module;
  Encoder encoder{*this, "encoder"};
  nn::Parameter scale{*this, "scale", tg::Shape{3}, nn::init::constant(2)};
  nn::Linear output{*this, "output", 2, 3};
};

std::vector<std::string> names(const nn::Module& module) {
  std::vector<std::string> all;
  for (const auto& [name, parameter] : module.named_parameters()) all.push_back(name);
  return all;
}

}  // namespace

TEST_CASE("parameters register themselves: a module's own, then its children's, in the order of construction") {
  tg::Rng rng(1);
  Model model(rng);
  CHECK(names(model) == std::vector<std::string>{"scale", "encoder.fc1.weight", "encoder.fc1.bias",
                                                 "encoder.fc2.weight", "output.weight", "output.bias"});
  CHECK(names(model.encoder) == std::vector<std::string>{"fc1.weight", "fc1.bias", "fc2.weight"});
  CHECK(model.parameters() == std::vector<tg::Parameter*>{&model.scale, &model.encoder.fc1.weight,
                                                          &*model.encoder.fc1.bias, &model.encoder.fc2.weight,
                                                          &model.output.weight, &*model.output.bias});
  CHECK(model.scale.value()[2] == 2);
}

TEST_CASE("a path goes from the root down") {
  tg::Rng rng(1);
  Model model(rng);
  CHECK(model.path().empty());
  CHECK(model.encoder.path() == "encoder");
  CHECK(model.encoder.fc1.path() == "encoder.fc1");
  CHECK(model.encoder.fc1.name() == "fc1");
  CHECK(model.children() == std::vector<nn::Module*>{&model.encoder, &model.output});
  CHECK(model.modules() ==
        std::vector<nn::Module*>{&model, &model.encoder, &model.encoder.fc1, &model.encoder.fc2, &model.output});
}

TEST_CASE("a module is frozen and thawed with all below it") {
  tg::Rng rng(1);
  Model model(rng);
  model.encoder.set_requires_grad(false);
  for (const auto& [name, parameter] : model.named_parameters())
    CHECK(parameter->requires_grad() == !name.starts_with("encoder."));
  model.set_requires_grad(true);
  for (const tg::Parameter* parameter : model.parameters()) CHECK(parameter->requires_grad());
}

TEST_CASE("a parameter that is changed between the forward pass and backward is named") {
  tg::Rng rng(1);
  Model model(rng);
  tg::Tape tape;
  tg::Var loss = sum(model.encoder.fc1(tape.constant(tg::Tensor({1, 6}))));
  model.encoder.fc1.weight.mutable_value().fill(1);
  CHECK_THROWS_WITH(loss.backward(), ContainsSubstring("linear: encoder.fc1.weight was changed after this pass read "
                                                       "it; step the optimizer after all backward passes"));
}

TEST_CASE("what is destroyed is unregistered, in either order") {
  tg::Rng rng(1);
  auto root = std::make_unique<nn::Module>(rng);
  {
    const nn::Linear passing(*root, "passing", 2, 2);
    const nn::Parameter parameter(*root, "parameter", tg::Tensor({1}));
    CHECK(names(*root).size() == 3);
  }
  CHECK(names(*root).empty());
  CHECK(root->children().empty());

  nn::Linear survivor(*root, "survivor", 2, 2);
  const nn::Parameter parameter(*root, "parameter", tg::Tensor({1}));
  root.reset();
  CHECK(survivor.path() == "survivor");
  CHECK(parameter.path() == "parameter");
}

TEST_CASE("names that cannot be right are refused, and nothing is registered") {
  tg::Rng rng(1);
  Model model(rng);
  CHECK_THROWS_WITH(nn::Linear(model, "", 1, 1), ContainsSubstring("module: a part with an empty name"));
  CHECK_THROWS_WITH(nn::Linear(model, "a.b", 1, 1), ContainsSubstring("module: the name \"a.b\" has a dot"));
  CHECK_THROWS_WITH(nn::Linear(model, "output", 1, 1),
                    "module: the name \"output\" is taken in the root module; names of siblings must differ");
  CHECK_THROWS_WITH(nn::Module(model.encoder, "fc1"), ContainsSubstring("the name \"fc1\" is taken in encoder"));
  CHECK_THROWS_AS(nn::Parameter(model, "encoder", tg::Tensor({1})), tg::ValueError);
  CHECK_THROWS_AS(nn::Linear(model, "scale", 1, 1), tg::ValueError);
  CHECK_THROWS_WITH(nn::Parameter(model, "w", tg::Shape{1}, nullptr),
                    "parameter w: its init is empty; give one of nn::init");
  CHECK(names(model).size() == 6);
  CHECK(model.children().size() == 2);
}

TEST_CASE("train and eval reach everything below") {
  tg::Rng rng(1);
  Model model(rng);
  CHECK(model.encoder.fc1.training());
  model.eval();
  CHECK_FALSE(model.training());
  CHECK_FALSE(model.encoder.fc1.training());
  const nn::Linear late(model, "late", 1, 1);
  CHECK_FALSE(late.training());
  model.train();
  CHECK(model.output.training());
  model.encoder.eval();
  CHECK(model.training());
  CHECK_FALSE(model.encoder.fc2.training());
}

TEST_CASE("zero_grad forgets the gradients of all parameters") {
  tg::Rng rng(1);
  Model model(rng);
  tg::Tape tape;
  for (tg::Parameter* parameter : model.parameters())
    tape.parameter(*parameter).backward(tg::Tensor::ones(parameter->shape()));
  CHECK(model.encoder.fc1.weight.has_grad());
  model.zero_grad();
  for (const tg::Parameter* parameter : model.parameters()) CHECK_FALSE(parameter->has_grad());
}

TEST_CASE("the summary is a table of all parameters") {
  tg::Rng rng(1);
  CHECK(Model(rng).summary() ==
        "parameter           shape  elements\n"
        "scale               3             3\n"
        "encoder.fc1.weight  4x6          24\n"
        "encoder.fc1.bias    4             4\n"
        "encoder.fc2.weight  2x4           8\n"
        "output.weight       3x2           6\n"
        "output.bias         3             3\n"
        "total                            48\n");
  CHECK(nn::Module(rng).summary() ==
        "parameter  shape  elements\n"
        "total                    0\n");
}

TEST_CASE("one seed makes one model, and each layer draws from a stream of its own") {
  tg::Rng one(5), same(5), other(6);
  Model a(one), b(same), c(other), d(one);
  CHECK(tg::same_bits(a.output.weight.value(), b.output.weight.value()));
  CHECK_FALSE(tg::same_bits(a.output.weight.value(), c.output.weight.value()));
  CHECK_FALSE(tg::same_bits(a.output.weight.value(), d.output.weight.value()));

  struct Wider : nn::Module {  // another size of one layer leaves the next one's weights as they were
    using Module::Module;
    nn::Linear first{*this, "first", 3, 100};
    nn::Linear second{*this, "second", 5, 5};
  };
  struct Narrower : nn::Module {
    using Module::Module;
    nn::Linear first{*this, "first", 3, 1};
    nn::Linear second{*this, "second", 5, 5};
  };
  tg::Rng left(9), right(9);
  CHECK(tg::same_bits(Wider(left).second.weight.value(), Narrower(right).second.weight.value()));
}

TEST_CASE("a parameter of the user's own is read by a tape") {
  tg::Rng rng(1);
  Model model(rng);
  tg::Tape tape;
  const tg::Var scale = tape.parameter(model.scale);
  scale.backward(tg::Tensor({3}, {1, 2, 3}));
  CHECK(tg::same_bits(model.scale.grad(), tg::Tensor({3}, {1, 2, 3})));
}
