// Writes what tapegrad computes, in double, for parity.py to compute again with PyTorch:
//   op/TITLE/CASE/in0, in1, .., y, dy, d0, d1, ..   every op of the registry on usual and on extreme inputs
//   init/EXPRESSION/weight                          the initial parameters of a layer, or a scheme's
//   trace/EXPRESSION/p0, g, p                       50 steps of an optimizer: start, gradients, values
// EXPRESSION is what makes the same in PyTorch.

#include <cstdio>
#include <tapegrad/io/safetensors.hpp>
#include <tapegrad/nn/layer_norm.hpp>
#include <tapegrad/nn/linear.hpp>
#include <tapegrad/optim/adam.hpp>
#include <tapegrad/optim/rmsprop.hpp>
#include <tapegrad/optim/sgd.hpp>

#include "ops/registry.hpp"

namespace tg = tapegrad;
using namespace registry;

namespace {

std::map<std::string, Tensor> written;

/// Makes a case's inputs out of what the registry draws.
struct Regime {
  std::string name;
  double (*of)(double drawn, Rng& rng);
};

double end_of_range(double, Rng& rng) {
  constexpr double magnitudes[] = {0, 1e-100, 1e-30, 1e-9, 1e-3, 0.5, 1, 3, 20, 40, 300, 700, 1000, 1e9, 1e30, 1e100};
  const double magnitude = magnitudes[rng.below(std::size(magnitudes))];
  return rng.uniform() < 0.5 ? -magnitude : magnitude;
}

const Regime usual{"usual", [](double x, Rng&) { return x; }};
const std::vector<Regime> extreme{
    {"zeros", [](double, Rng&) { return 0.0; }},
    {"tiny", [](double x, Rng&) { return 1e-100 * x; }},
    {"small", [](double x, Rng&) { return 1e-9 * x; }},
    {"near 1", [](double x, Rng&) { return 1 - 1e-9 * std::abs(x); }},
    {"large", [](double x, Rng&) { return 100 * x; }},
    {"huge", [](double x, Rng&) { return 1e100 * x; }},
    {"ends", end_of_range},
};

void write_op(const Entry& entry, const std::string& title, const std::vector<Tensor>& inputs, Rng& rng) {
  tg::Tape tape;
  const std::vector<Var> vars = record(entry, tape, inputs);
  const Var y = entry.apply(vars);
  Tensor dy(y.shape());
  rng.uniform(dy, -1, 1);
  if (y.requires_grad()) y.backward(dy);
  const std::string name = "op/" + entry.title() + "/" + title + "/";
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    written.emplace(name + "in" + std::to_string(i), inputs[i]);
    if (differentiable(entry, i)) written.emplace(name + "d" + std::to_string(i), Tensor(vars[i].grad()));
  }
  written.emplace(name + "y", Tensor(y.value()));
  written.emplace(name + "dy", dy);
}

void write_ops() {
  for (const Entry& entry : all()) {
    Rng rng(1);
    for (std::size_t k = 0; k < entry.shapes.size(); ++k) {
      const auto made = [&](const Regime& regime) {
        std::vector<Tensor> inputs = draw(entry, entry.shapes[k], rng);
        for (std::size_t i = 0; i < inputs.size(); ++i)
          if (differentiable(entry, i))
            for (Scalar& x : inputs[i].span()) x = regime.of(x, rng);
        write_op(entry, regime.name + " " + std::to_string(k), inputs, rng);
      };
      made(usual);
      for (const Regime& regime : extreme) {
        try {
          made(regime);
        } catch (const tg::ValueError&) {  // where the op is not defined, as a cross-entropy outside of [0, 1]
        }
      }
    }
    for (std::size_t k = 0; k < entry.extremes.size(); ++k) {
      std::vector<Tensor> inputs;
      for (const std::vector<double>& input : entry.extremes[k].inputs)
        inputs.emplace_back(tg::Shape{static_cast<Index>(input.size())}, std::span<const double>(input));
      write_op(entry, "by hand " + std::to_string(k), inputs, rng);
    }
  }
}

void write_initial(const std::string& expression, const tg::nn::Module& layer) {
  for (const auto& [name, parameter] : layer.named_parameters())
    written.emplace("init/" + expression + "/" + name, Tensor(parameter->value()));
}

void write_initial(const std::string& expression, const tg::nn::Init& scheme) {
  Rng rng(3);
  Tensor& weight = written.emplace("init/" + expression + "/weight", Tensor({300, 200})).first->second;
  scheme(weight, rng);
}

void write_initial_values() {
  namespace nn = tg::nn;
  Rng rng(2);
  write_initial("Linear(100, 3000)", nn::Linear(rng, 100, 3000));
  write_initial("Linear(784, 512)", nn::Linear(rng, 784, 512));
  write_initial("Linear(1, 20000)", nn::Linear(rng, 1, 20000));
  write_initial("LayerNorm(7)", nn::LayerNorm(rng, 7));
  write_initial("xavier_uniform_", nn::init::xavier_uniform());
  write_initial("xavier_normal_", nn::init::xavier_normal());
  write_initial("kaiming_uniform_", nn::init::kaiming_uniform());
  write_initial("kaiming_normal_", nn::init::kaiming_normal());
}

template <class Kind, class Options>
void write_trace(const std::string& expression, const Options& options) {
  constexpr Index steps = 50, size = 40;
  Rng rng(4);
  Tensor initial({size}), gradients({steps, size}), values({steps, size});
  rng.normal(initial);
  rng.normal(gradients);
  for (Index step = 0; step < steps; ++step)  // from steady to wild: the elements' gradients differ in size
    for (Index i = 0; i < size; ++i) gradients[step * size + i] *= std::pow(10.0, static_cast<double>(i % 9 - 6));
  tg::Parameter parameter{Tensor(initial)};
  Kind optimizer({&parameter}, options);
  for (Index step = 0; step < steps; ++step) {
    optimizer.zero_grad();
    tg::Tape tape;
    tape.parameter(parameter).backward(tg::ConstTensorView(gradients.data() + step * size, {size}));
    optimizer.step();
    tg::TensorView(values.data() + step * size, {size}).copy_from(parameter.value());
  }
  const std::string name = "trace/" + expression + "/";
  written.emplace(name + "p0", std::move(initial));
  written.emplace(name + "g", std::move(gradients));
  written.emplace(name + "p", std::move(values));
}

void write_traces() {
  using namespace tg::optim;
  write_trace<SGD>("SGD(lr=0.1)", SGDOptions{.lr = 0.1});
  write_trace<SGD>("SGD(lr=0.1, weight_decay=0.3)", SGDOptions{.lr = 0.1, .weight_decay = 0.3});
  write_trace<SGD>("SGD(lr=0.1, momentum=0.9)", SGDOptions{.lr = 0.1, .momentum = 0.9});
  write_trace<SGD>("SGD(lr=0.1, momentum=0.8, dampening=0.4, weight_decay=0.1)",
                   SGDOptions{.lr = 0.1, .momentum = 0.8, .dampening = 0.4, .weight_decay = 0.1});
  write_trace<SGD>("SGD(lr=0.05, momentum=0.9, nesterov=True, weight_decay=0.1)",
                   SGDOptions{.lr = 0.05, .momentum = 0.9, .weight_decay = 0.1, .nesterov = true});
  write_trace<Adam>("Adam()", AdamOptions{});
  write_trace<Adam>("Adam(lr=0.05, betas=(0.5, 0.9), eps=0.1, weight_decay=0.2)",
                    AdamOptions{.lr = 0.05, .betas = {0.5, 0.9}, .eps = 0.1, .weight_decay = 0.2});
  write_trace<AdamW>("AdamW()", AdamWOptions{});
  write_trace<AdamW>("AdamW(lr=0.05, betas=(0.8, 0.99), weight_decay=0.2)",
                     AdamWOptions{.lr = 0.05, .betas = {0.8, 0.99}, .weight_decay = 0.2});
  write_trace<RMSprop>("RMSprop()", RMSpropOptions{});
  write_trace<RMSprop>("RMSprop(lr=0.02, alpha=0.9, eps=1e-4, weight_decay=0.1)",
                       RMSpropOptions{.lr = 0.02, .alpha = 0.9, .eps = 1e-4, .weight_decay = 0.1});
  write_trace<RMSprop>("RMSprop(lr=0.02, momentum=0.7)", RMSpropOptions{.lr = 0.02, .momentum = 0.7});
  write_trace<RMSprop>("RMSprop(lr=0.01, alpha=0.8, eps=0.01, momentum=0.7, centered=True)",
                       RMSpropOptions{.lr = 0.01, .alpha = 0.8, .eps = 0.01, .momentum = 0.7, .centered = true});
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 2) throw tg::ValueError("usage: parity FILE");
  write_ops();
  write_initial_values();
  write_traces();
  tg::io::write_safetensors(argv[1], {written.begin(), written.end()});
} catch (const tg::Error& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
