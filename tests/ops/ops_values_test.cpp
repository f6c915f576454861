// Every op of the registry: values against its naive reference, errors, extreme inputs, and what holds for all ops.
#include <cmath>
#include <cstring>
#include <fstream>
#include <set>

#include "catch.hpp"
#include "ops/registry.hpp"
#include "threads.hpp"

namespace tg = tapegrad;
using namespace registry;

namespace {

/// The gradients of the op's inputs under a seed of ones; the value of its result.
struct Outcome {
  Tensor value;
  std::vector<Tensor> gradients;
};

Outcome run(const Entry& entry, const std::vector<Tensor>& inputs, int backward_calls = 1) {
  tg::Tape tape;
  const std::vector<Var> vars = record(entry, tape, inputs);
  const Var y = entry.apply(vars);
  Outcome outcome{Tensor(y.value()), {}};
  for (int call = 0; call < backward_calls && y.requires_grad(); ++call) y.backward(Tensor::ones(y.shape()));
  for (std::size_t i = 0; i < vars.size(); ++i)
    outcome.gradients.push_back(differentiable(entry, i) ? Tensor(vars[i].grad()) : Tensor());
  return outcome;
}

bool close(double got, double wanted, double tolerance) {
  if (std::isnan(wanted) || std::isinf(wanted)) return std::isnan(wanted) ? std::isnan(got) : got == wanted;
  return std::abs(got - wanted) <= tolerance * std::abs(wanted);
}

/// Pointwise ops are given the same numbers over and over, so that vectors and tails of loops both meet them.
Tensor row(const std::vector<double>& elements, Index repeats) {
  const auto count = static_cast<Index>(elements.size());
  Tensor result({count * repeats});
  for (Index i = 0; i < result.size(); ++i)
    result[i] = static_cast<Scalar>(elements[static_cast<std::size_t>(i % count)]);
  return result;
}

void check_row(const std::string& what, const Tensor& got, const std::vector<double>& wanted) {
  REQUIRE(got.size() % static_cast<Index>(wanted.size()) == 0);
  for (Index i = 0; i < got.size(); ++i) {
    const double expected_element = wanted[static_cast<std::size_t>(i) % wanted.size()];
    INFO(what << ", element " << i << ": got " << got[i] << ", wanted " << expected_element);
    CHECK(close(double{got[i]}, expected_element, 1e-5));
  }
}

}  // namespace

TEST_CASE("ops give what their naive references give") {
  for (const Entry& entry : all()) {
    for (const std::vector<Shape>& shapes : entry.shapes) {
      INFO(entry.title() << " of " << (shapes.empty() ? Shape{0} : shapes[0]));
      Rng rng(1);
      const std::vector<Tensor> inputs = draw(entry, shapes, rng);
      const Tensor got = run(entry, inputs).value;
      const Array wanted = expected(entry, std::vector<Array>(inputs.begin(), inputs.end()));
      REQUIRE(got.shape() == wanted.shape);
      for (Index i = 0; i < got.size(); ++i) {
        INFO("element " << i << ": got " << got[i] << ", wanted " << wanted[i]);
        CHECK(std::abs(double{got[i]} - wanted[i]) <= entry.tolerance * std::fmax(1, std::abs(wanted[i])));
      }
    }
  }
}

TEST_CASE("ops refuse bad inputs and say why") {
  for (const Entry& entry : all()) {
    for (const Bad& bad : entry.bad) {
      INFO(entry.title() << ": " << bad.message);
      tg::Tape tape;
      const std::vector<Var> vars = record(entry, tape, bad.inputs);
      std::string message = "no error";
      try {
        (bad.apply ? bad.apply : entry.apply)(vars);
      } catch (const tg::ShapeError& error) {
        message = error.what();
      } catch (const tg::ValueError& error) {
        message = error.what();
      }
      CHECK_THAT(message, Catch::Matchers::StartsWith(bad.message));
    }
  }
}

TEST_CASE("ops are right at the ends of the range") {
  for (const Entry& entry : all()) {
    for (const Extreme& extreme : entry.extremes) {
      INFO(entry.title() << " at " << Catch::Detail::stringify(extreme.inputs));
      std::vector<Tensor> inputs;
      for (const std::vector<double>& input : extreme.inputs) inputs.push_back(row(input, entry.pointwise ? 37 : 1));
      const Outcome got = run(entry, inputs);
      check_row("value", got.value, extreme.value);
      for (std::size_t i = 0; i < extreme.gradients.size(); ++i)
        check_row("gradient of input " + std::to_string(i), got.gradients.at(i), extreme.gradients[i]);
    }
  }
}

TEST_CASE("ops give the same bits on any number of threads") {
  for (const Entry& entry : all()) {
    INFO(entry.title());
    Rng rng(2);
    const std::vector<Tensor> inputs = draw(entry, entry.bench, rng);
    const Threads guard(1);
    const Outcome one = run(entry, inputs);
    tg::set_num_threads(3);
    const Outcome three = run(entry, inputs);
    CHECK(tg::same_bits(one.value, three.value));
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      INFO("gradient of input " << i);
      CHECK(tg::same_bits(one.gradients[i], three.gradients[i]));
    }
  }
}

TEST_CASE("ops of each element give it the same bits wherever it stands in a large tensor") {
  constexpr Index pattern = 61, repeats = 700;  // some chunks for threads, each of many blocks
  for (const Entry& entry : all()) {
    if (!entry.pointwise) continue;
    INFO(entry.title());
    Rng rng(6);
    const std::vector<Tensor> small = draw(entry, std::vector<Shape>(entry.bench.size(), {pattern}), rng);
    std::vector<Tensor> large;
    for (const Tensor& input : small) {
      Tensor& copies = large.emplace_back(Shape{repeats * pattern});
      for (Index i = 0; i < copies.size(); ++i) copies[i] = input[i % pattern];
    }
    const auto repeats_bits = [&](const Tensor& whole, const Tensor& part) {
      Index equal = 0;
      while (equal < whole.size() && std::memcmp(&whole[equal], part.data(), sizeof(Scalar) * pattern) == 0)
        equal += pattern;
      return equal == whole.size();
    };
    const Outcome wanted = run(entry, small), got = run(entry, large);
    CHECK(repeats_bits(got.value, wanted.value));
    for (std::size_t i = 0; i < small.size(); ++i) {
      INFO("gradient of input " << i);
      if (differentiable(entry, i)) CHECK(repeats_bits(got.gradients[i], wanted.gradients[i]));
    }
  }
}

TEST_CASE("a second backward call adds the same gradient once more") {
  for (const Entry& entry : all()) {
    for (const std::vector<Shape>& shapes : entry.shapes) {
      INFO(entry.title() << " of " << (shapes.empty() ? Shape{0} : shapes[0]));
      Rng rng(3);
      const std::vector<Tensor> inputs = draw(entry, shapes, rng);
      const Outcome once = run(entry, inputs), twice = run(entry, inputs, 2);
      for (std::size_t i = 0; i < inputs.size(); ++i)
        for (Index j = 0; j < once.gradients[i].size(); ++j)
          CHECK(double{twice.gradients[i][j]} == Approx(2 * double{once.gradients[i][j]}).margin(1e-6));
    }
  }
}

TEST_CASE("docs/ops.md has one row for each op, and no other") {
  std::set<std::string> registered, documented;
  for (const Entry& entry : all()) registered.insert(entry.name);
  std::ifstream page(TAPEGRAD_SOURCE_DIR "/docs/ops.md");
  REQUIRE(page.good());
  for (std::string line; std::getline(page, line);) {
    if (!line.starts_with("| `")) continue;
    const std::string name = line.substr(3, line.find('`', 3) - 3);
    INFO(name);
    CHECK(documented.insert(name).second);
  }
  CHECK(documented == registered);
}
