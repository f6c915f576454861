#include <cmath>

#include "catch.hpp"
#include "tapegrad/nn/activation.hpp"
#include "tapegrad/nn/dropout.hpp"
#include "tapegrad/nn/layer_norm.hpp"
#include "tapegrad/nn/linear.hpp"
#include "tapegrad/nn/sequential.hpp"
#include "tapegrad/ops/elementwise.hpp"
#include "tapegrad/ops/softmax.hpp"

namespace tg = tapegrad;
namespace nn = tg::nn;

namespace {

void check_close(tg::ConstTensorView found, const std::vector<double>& expected) {
  REQUIRE(found.size() == static_cast<tg::Index>(expected.size()));
  for (std::size_t i = 0; i < expected.size(); ++i)
    CHECK(double{found[static_cast<tg::Index>(i)]} == Approx(expected[i]).epsilon(1e-5).margin(1e-6));
}

}  // namespace

TEST_CASE("Linear is x W^T + b, over any leading axes") {
  tg::Rng rng(1);
  nn::Linear linear(rng, 3, 2);
  linear.weight.mutable_value().copy_from(tg::Tensor({2, 3}, {1, 2, 3, 4, 5, 6}));
  linear.bias->mutable_value().copy_from(tg::Tensor({2}, {10, 20}));
  tg::Tape tape;
  const tg::Var y = linear(tape.constant(tg::Tensor({2, 1, 3}, {1, 0, -1, 0.5, 0.5, 0.5})));
  CHECK(y.shape() == tg::Shape{2, 1, 2});
  check_close(y.value(), {8, 18, 13, 27.5});

  nn::Linear without(rng, 3, 2, {.bias = false});
  CHECK_FALSE(without.bias);
  CHECK(without.parameters().size() == 1);
  without.weight.mutable_value().copy_from(linear.weight.value());
  check_close(without(tape.constant(tg::Tensor({1, 3}, {1, 0, -1}))).value(), {-2, -2});
}

TEST_CASE("Linear starts as PyTorch's does: weight and bias uniform within 1 / sqrt(in)") {
  tg::Rng rng(1);
  const nn::Linear linear(rng, 400, 500);
  const double bound = 1 / std::sqrt(400.0);
  for (const tg::Parameter* parameter : linear.parameters()) {
    const auto x = parameter->value().array().cast<double>();
    CHECK(x.maxCoeff() == Approx(bound).epsilon(0.02));
    CHECK(x.minCoeff() == Approx(-bound).epsilon(0.02));
    CHECK(std::sqrt(x.square().mean()) == Approx(bound / std::sqrt(3.0)).epsilon(0.05));
  }
}

TEST_CASE("Linear starts as its options say") {
  tg::Rng rng(1);
  const nn::Linear linear(
      rng, 30, 20,
      {.weight_init = nn::init::constant(0.5), .bias_init = [](tg::TensorView b, tg::Rng&) { b.fill(7); }});
  CHECK(linear.weight.value()[599] == 0.5);
  CHECK(linear.bias->value()[19] == 7);
}

TEST_CASE("Linear refuses features that cannot be right") {
  tg::Rng rng(1);
  CHECK_THROWS_WITH(nn::Linear(rng, 0, 5), "linear: got 0 features in and 5 out; both must be at least 1");
  CHECK_THROWS_WITH(nn::Linear(rng, 5, -1), "linear: got 5 features in and -1 out; both must be at least 1");
  nn::Module root(rng);
  CHECK_THROWS_AS(nn::Linear(root, "fc", 5, 0), tg::ValueError);
  CHECK(root.children().empty());
}

TEST_CASE("an error in a layer says in which") {
  tg::Rng rng(1);
  struct Model : nn::Module {
    using Module::Module;
    nn::Linear encode{*this, "encode", 12, 8};
    nn::Sequential decoder{*this, "decoder"};
    nn::LayerNorm norm{*this, "norm", 4};
  };
  Model model(rng);
  model.decoder.add<nn::ReLU>();
  model.decoder.add<nn::Linear>(12, 8);
  tg::Tape tape;
  const tg::Var x = tape.constant(tg::Tensor({5, 10}));
  CHECK_THROWS_WITH(model.encode(x),
                    "linear: input is 5x10, weight is 8x12 (out x in); the input's last axis (10) "
                    "must equal the weight's last axis (12) [encode]");
  CHECK_THROWS_WITH(model.decoder(x), ContainsSubstring("[decoder.1]"));
  CHECK_THROWS_WITH(model.norm(x),
                    "layer_norm: input is 5x10, features are 4; the input's last axis must have as "
                    "many elements [norm]");
  nn::Linear alone(rng, 12, 8);
  CHECK_THROWS_WITH(alone(x), !ContainsSubstring("["));
}

TEST_CASE("so do errors of a layer's options, which are of no op yet") {
  struct Clamped : nn::Layer {
    using nn::Layer::Layer;
    tg::Var forward(tg::Var x) override { return clamp(softmax(x, axis), lower, 1); }
    int axis = 0;
    double lower = 0;
  };
  tg::Rng rng(1);
  nn::Sequential model(rng);
  auto& layer = model.add<Clamped>();
  tg::Tape tape;
  const tg::Var x = tape.constant(tg::Tensor({2, 3}));
  CHECK(model(x).shape() == tg::Shape{2, 3});
  layer.lower = 2;
  CHECK_THROWS_WITH(model(x), "clamp: got [2, 1]; the bounds must be numbers and in order [0]");
  CHECK_THROWS_WITH(layer(tg::Var()), ContainsSubstring("a Var of no tape") && ContainsSubstring(" [0]"));
  layer.axis = 5;
  CHECK_THROWS_WITH(model(x), "softmax: axis 5 of a tensor of shape 2x3; axes run from -2 to 1 [0]");
}

TEST_CASE("the activation layers are the functions of their names") {
  tg::Rng rng(1);
  nn::Sequential layers(rng);
  tg::Tape tape;
  const tg::Var x = tape.constant(tg::Tensor({3}, {-2, 0, 1.5}));
  const double s1 = 1 / (1 + std::exp(2.0)), s2 = 1 / (1 + std::exp(-1.5));
  const auto phi = [](double t) { return 0.5 * std::erfc(-t / std::sqrt(2.0)); };
  const auto gelu_tanh = [](double t) {
    return 0.5 * t * (1 + std::tanh(std::sqrt(2 / M_PI) * (t + 0.044715 * t * t * t)));
  };
  check_close(layers.add<nn::ReLU>()(x).value(), {0, 0, 1.5});
  check_close(layers.add<nn::LeakyReLU>()(x).value(), {-0.02, 0, 1.5});
  check_close(layers.add<nn::LeakyReLU>(0.25)(x).value(), {-0.5, 0, 1.5});
  check_close(nn::LeakyReLU(rng)(x).value(), {-0.02, 0, 1.5});
  CHECK_THROWS_WITH(layers.add<nn::LeakyReLU>(INFINITY), "leaky_relu: negative_slope is inf; it must be finite");
  check_close(layers.add<nn::ELU>()(x).value(), {std::expm1(-2.0), 0, 1.5});
  check_close(nn::ELU(rng)(x).value(), {std::expm1(-2.0), 0, 1.5});
  check_close(nn::ELU(rng, 0.5)(x).value(), {std::expm1(-2.0) / 2, 0, 1.5});
  CHECK_THROWS_WITH(layers.add<nn::ELU>(INFINITY), "elu: alpha is inf; it must be finite");
  check_close(layers.add<nn::Sigmoid>()(x).value(), {s1, 0.5, s2});
  check_close(layers.add<nn::Tanh>()(x).value(), {std::tanh(-2.0), 0, std::tanh(1.5)});
  check_close(layers.add<nn::Softplus>()(x).value(),
              {std::log1p(std::exp(-2.0)), std::log(2.0), std::log1p(std::exp(1.5))});
  check_close(layers.add<nn::SiLU>()(x).value(), {-2 * s1, 0, 1.5 * s2});
  check_close(layers.add<nn::GELU>()(x).value(), {-2 * phi(-2), 0, 1.5 * phi(1.5)});
  check_close(layers.add<nn::GELU>(tg::Gelu::tanh)(x).value(), {gelu_tanh(-2), 0, gelu_tanh(1.5)});
  CHECK(layers.parameters().empty());
}

TEST_CASE("Dropout drops and scales while it trains, and passes on in use") {
  tg::Rng rng(1);
  nn::Dropout dropout(rng, 0.25);
  tg::Tape tape;
  const tg::Var ones = tape.constant(tg::Tensor::ones({100, 100}));
  const tg::Var y = dropout(ones);
  int zeros = 0;
  for (const tg::Scalar element : y.value().span()) {
    REQUIRE((element == 0 || element == Approx(4.0 / 3)));
    zeros += element == 0;
  }
  CHECK(zeros == Approx(2500).margin(5 * std::sqrt(10000 * 0.25 * 0.75)));
  CHECK_FALSE(tg::same_bits(dropout(ones).value(), y.value()));
  dropout.eval();
  CHECK(tg::same_bits(dropout(ones).value(), ones.value()));
}

TEST_CASE("Dropout's stream can be saved and restored") {
  tg::Rng rng(1);
  nn::Dropout dropout(rng);
  tg::Tape tape;
  const tg::Var ones = tape.constant(tg::Tensor::ones({100}));
  const tg::Rng::State state = dropout.rng().state();
  const tg::Var first = dropout(ones);
  dropout.rng() = tg::Rng(state);
  CHECK(tg::same_bits(dropout(ones).value(), first.value()));
}

TEST_CASE("Dropout refuses what is no probability of dropping") {
  tg::Rng rng(1);
  CHECK_THROWS_WITH(nn::Dropout(rng, 1), "dropout: got p = 1; it must be in [0, 1)");
  CHECK_THROWS_WITH(nn::Dropout(rng, -0.5), "dropout: got p = -0.5; it must be in [0, 1)");
}

TEST_CASE("LayerNorm normalises the last axis, then scales and shifts") {
  tg::Rng rng(1);
  nn::LayerNorm norm(rng, 4, {.eps = 0.25});
  tg::Tape tape;
  const tg::Var x = tape.constant(tg::Tensor({2, 4}, {1, 2, 3, 6, 5, 5, 5, 5}));  // mean 3, variance 3.5
  const double s = 1 / std::sqrt(3.75);
  check_close(norm(x).value(), {-2 * s, -1 * s, 0, 3 * s, 0, 0, 0, 0});
  norm.weight->mutable_value().copy_from(tg::Tensor({4}, {1, 2, 3, 4}));
  norm.bias->mutable_value().copy_from(tg::Tensor({4}, {10, 20, 30, 40}));
  check_close(norm(x).value(), {10 - 2 * s, 20 - 2 * s, 30, 40 + 12 * s, 10, 20, 30, 40});
  nn::LayerNorm plain(rng, 4, {.eps = 0.25, .elementwise_affine = false});
  CHECK(plain.parameters().empty());
  check_close(plain(x).value(), {-2 * s, -1 * s, 0, 3 * s, 0, 0, 0, 0});
}

TEST_CASE("LayerNorm keeps its digits far from zero") {
  tg::Rng rng(1);
  nn::LayerNorm norm(rng, 4, {.elementwise_affine = false});
  tg::Tape tape;
  const double s = 1 / std::sqrt(1.25);
  check_close(norm(tape.constant(tg::Tensor({4}, {100000, 100001, 100002, 100003}))).value(),
              {-1.5 * s, -0.5 * s, 0.5 * s, 1.5 * s});
}

TEST_CASE("the mean that layer_norm takes away has the digits of a double") {
  if (sizeof(tg::Scalar) != sizeof(float)) return;
  tg::Tape tape;
  const auto y = layer_norm(tape.constant(tg::Tensor({2}, {16777216, 16777218})), 2, 1e-12).value();
  CHECK(y[0] == Approx(-1));
  CHECK(y[1] == Approx(1));
}

TEST_CASE("LayerNorm refuses what cannot be right") {
  tg::Rng rng(1);
  CHECK_NOTHROW(nn::LayerNorm(rng, 1));
  CHECK_THROWS_WITH(nn::LayerNorm(rng, 0), "layer_norm: got 0 features; there must be at least 1");
  CHECK_THROWS_WITH(nn::LayerNorm(rng, 4, {.eps = 0}), "layer_norm: eps is 0; it must be positive and finite");
  tg::Tape tape;
  CHECK_THROWS_WITH(tg::layer_norm(tape.constant(tg::Tensor({1, 4})), 4, -1),
                    "layer_norm: eps is -1; it must be positive and finite");
  if (sizeof(tg::Scalar) == sizeof(float))  // a row of equal numbers would become NaN
    CHECK_THROWS_WITH(nn::LayerNorm(rng, 4, {.eps = 1e-80}), "layer_norm: eps is 0; it must be positive and finite");
}

TEST_CASE("Sequential applies its layers in order, and names them by number") {
  tg::Rng rng(1);
  nn::Sequential net(rng);
  auto& first =
      net.add<nn::Linear>(2, 1, nn::LinearOptions{.weight_init = nn::init::ones(), .bias_init = nn::init::zeros()});
  net.add<nn::ReLU>();
  net.add<nn::Linear>(1, 3);
  CHECK(net.size() == 3);
  CHECK(&net[0] == &first);
  CHECK_THROWS_WITH(net[3], "sequential: layer 3 of 3; layers count from 0");
  CHECK_THROWS_AS(net[-1], tg::ValueError);
  std::vector<std::string> names;
  for (const auto& [name, parameter] : net.named_parameters()) names.push_back(name);
  CHECK(names == std::vector<std::string>{"0.weight", "0.bias", "2.weight", "2.bias"});
  tg::Tape tape;
  const tg::Var x = tape.constant(tg::Tensor({2, 2}, {1, 2, -1, -2}));
  CHECK(net(x).shape() == tg::Shape{2, 3});
  CHECK(tg::same_bits(net(x).value(), net[2](relu(first(x))).value()));
  nn::Sequential empty(rng);
  CHECK(tg::same_bits(empty(x).value(), x.value()));
}

TEST_CASE("a layer of the user's own goes into a Sequential") {
  struct Double : nn::Layer {
    using Layer::Layer;
    tg::Var forward(tg::Var x) override { return x + x; }
  };
  tg::Rng rng(1);
  nn::Sequential net(rng);
  net.add<Double>();
  net.add<Double>();
  tg::Tape tape;
  check_close(net(tape.constant(tg::Tensor({2}, {1, -3}))).value(), {4, -12});
}

TEST_CASE("an error of a nested layer's options says its whole path") {
  struct Refusing : nn::Layer {
    using nn::Layer::Layer;
    tg::Var forward(tg::Var x) override { return clamp(x, 2, 1); }
  };
  tg::Rng rng(1);
  nn::Sequential model(rng);
  model.add<nn::ReLU>();
  model.add<nn::Sequential>().add<Refusing>();
  tg::Tape tape;
  CHECK_THROWS_WITH(model(tape.constant(tg::Tensor({2}))), ContainsSubstring(" [1.0]"));
}

TEST_CASE("layers have PyTorch's options by default") {
  tg::Rng rng(1);
  CHECK(nn::LayerNormOptions().eps == 1e-5);
  nn::Sequential layers(rng);
  nn::Dropout alone(rng);
  tg::Tape tape;
  const tg::Var ones = tape.constant(tg::Tensor::ones({100}));
  CHECK(alone(ones).value().array().maxCoeff() == 2);  // 1 / (1 - p)
  CHECK(layers.add<nn::Dropout>()(ones).value().array().maxCoeff() == 2);
}
