// Every op of the registry in double: its value against its naive reference, its backward against central differences.
#include <tapegrad/autodiff/gradcheck.hpp>
#include <tapegrad/ops/losses.hpp>
#include <tapegrad/ops/matmul.hpp>

#include "catch.hpp"
#include "ops/registry.hpp"
#include "threads.hpp"

namespace tg = tapegrad;
using namespace registry;

TEST_CASE("ops in double give what their naive references give, but for rounding") {
  for (const Entry& entry : all()) {
    INFO(entry.title());
    Rng rng(1);
    const std::vector<Tensor> inputs = draw(entry, entry.shapes.back(), rng);
    tg::Tape tape;
    const Tensor got(entry.apply(record(entry, tape, inputs)).value());
    const Array wanted = expected(entry, std::vector<Array>(inputs.begin(), inputs.end()));
    REQUIRE(got.shape() == wanted.shape);
    for (Index i = 0; i < got.size(); ++i) {
      INFO("element " << i << ": got " << got[i] << ", wanted " << wanted[i]);
      CHECK(std::abs(got[i] - wanted[i]) <= 1e-13 * std::fmax(1, std::abs(wanted[i])));
    }
  }
}

TEST_CASE("a sum of many cross-entropies in double loses no digit") {
  Rng rng(2);
  Tensor logits({1003}), targets({1003});
  rng.normal(logits, 0, 10);
  rng.uniform(targets);
  double wanted = 0;
  for (Index i = 0; i < logits.size(); ++i)
    wanted += std::fmax(logits[i], 0) - logits[i] * targets[i] + std::log1p(std::exp(-std::abs(logits[i])));
  tg::Tape tape;
  const Var sum = bce_with_logits(tape.constant(logits), tape.constant(targets), tg::Reduction::sum);
  CHECK(sum.value().item() == Approx(wanted).epsilon(1e-14));
}

TEST_CASE("the gradients of all ops agree with central differences") {
  for (const Entry& entry : all()) {
    for (const std::vector<Shape>& shapes : entry.shapes) {
      INFO(entry.title() << " of " << (shapes.empty() ? Shape{0} : shapes[0]));
      Rng rng(4);
      const std::vector<Tensor> inputs = draw(entry, shapes, rng);
      std::vector<Tensor> variables;
      for (std::size_t i = 0; i < inputs.size(); ++i)
        if (differentiable(entry, i)) variables.push_back(inputs[i]);
      if (std::ranges::all_of(variables, [](const Tensor& x) { return x.size() == 0; })) continue;

      const auto op = [&](std::span<const Var> vars) {
        std::vector<Var> all_inputs;
        for (std::size_t i = 0, next = 0; i < inputs.size(); ++i)
          all_inputs.push_back(differentiable(entry, i) ? vars[next++] : vars[0].tape().constant(inputs[i]));
        return entry.apply(all_inputs);
      };
      const tg::GradcheckResult result = tg::gradcheck(op, variables);
      INFO(result.message());
      CHECK(result);
    }
  }
}

TEST_CASE("each gradient is the same when the other inputs are constants") {
  for (const Entry& entry : all()) {
    const std::vector<Shape>& shapes = entry.shapes.back();
    if (shapes.size() < 2) continue;
    INFO(entry.title());
    Rng rng(5);
    const std::vector<Tensor> inputs = draw(entry, shapes, rng);
    tg::Tape together;
    const std::vector<Var> vars = record(entry, together, inputs);
    const Var y = entry.apply(vars);
    y.backward(Tensor::ones(y.shape()));
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      if (!differentiable(entry, i)) continue;
      tg::Tape tape;
      std::vector<Var> alone;
      for (std::size_t k = 0; k < inputs.size(); ++k)
        alone.push_back(k == i ? tape.variable(inputs[k]) : tape.constant(inputs[k]));
      const Var z = entry.apply(alone);
      z.backward(Tensor::ones(z.shape()));
      INFO("input " << i);
      CHECK(tg::same_bits(alone[i].grad(), vars[i].grad()));
    }
  }
}

TEST_CASE("the factors of a product may be the same Var") {
  Rng rng(6);
  Tensor x({6, 6});
  rng.normal(x);
  for (const int threads : {1, 2}) {
    INFO("threads " << threads);
    const Threads guard(threads);
    for (const tg::MatmulOptions& transposed : {tg::MatmulOptions{}, {.transpose_a = true}, {.transpose_b = true}}) {
      const auto op = [&](std::span<const Var> vars) { return matmul(vars[0], vars[0], transposed); };
      CHECK(tg::gradcheck(op, {x}));
    }
    CHECK(tg::gradcheck([](std::span<const Var> vars) { return linear(vars[0], vars[0]); }, {x}));
  }
}
