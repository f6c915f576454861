// Every op of the tests' registry on large inputs, forward and backward apart; and a step of each optimizer.
//
//   bench_ops --threads=1 --benchmark_filter='softmax|step'

#include <tapegrad/tapegrad.hpp>

#include "common/arguments.hpp"
#include "ops/registry.hpp"

namespace tg = tapegrad;

namespace {

void measure(benchmark::State& state, const registry::Entry& entry, bool backward, int threads) {
  tg::set_num_threads(threads);
  tg::Rng rng(1);
  const std::vector<tg::Tensor> inputs = registry::draw(entry, entry.bench, rng);
  tg::Tensor seed;
  tg::Tape tape;
  for (auto _ : state) {
    tape.reset();
    const std::vector<tg::Var> vars = registry::record(entry, tape, inputs);
    const bench::Stopwatch forward;
    const tg::Var result = entry.apply(vars);
    double seconds = forward.seconds();
    if (backward) {
      if (seed.shape() != result.shape()) seed = tg::Tensor::ones(result.shape());
      const bench::Stopwatch watch;
      result.backward(seed);
      seconds = watch.seconds();
    }
    state.SetIterationTime(seconds);
  }
  const auto larger = [](const tg::Tensor& a, const tg::Tensor& b) { return a.size() < b.size(); };
  const auto elements = std::max_element(inputs.begin(), inputs.end(), larger)->size();
  state.counters["elements"] = bench::rate(static_cast<double>(elements));
}

/// A step of an optimizer for a million parameters.
template <class Optimizer, class Options>
void measure_step(benchmark::State& state, const Options& options, int threads) {
  tg::set_num_threads(threads);
  tg::Rng rng(1);
  tg::Tensor slopes({1 << 20});
  rng.normal(slopes);
  tg::Parameter parameter(slopes);
  tg::Tape tape;
  sum(tape.parameter(parameter) * tape.borrow(slopes)).backward();
  Optimizer optimizer({&parameter}, options);
  for (auto _ : state) {
    const bench::Stopwatch watch;
    optimizer.step();
    state.SetIterationTime(watch.seconds());
  }
  state.counters["elements"] = bench::rate(static_cast<double>(parameter.size()));
}

template <class Optimizer, class Options>
void register_steps(const char* title, const Options& options, const std::vector<int>& threads) {
  for (const int count : threads) {
    const std::string name = tg::detail::concat(title, "/step/threads:", count);
    benchmark::RegisterBenchmark(name.c_str(), measure_step<Optimizer, Options>, options, count)->UseManualTime();
  }
}

/// Whether any of its inputs gets a gradient.
bool has_backward(const registry::Entry& entry) {
  for (std::size_t i = 0; i < entry.bench.size(); ++i)
    if (registry::differentiable(entry, i)) return true;
  return false;
}

}  // namespace

int main(int argc, char** argv) {
  return bench::run_main(argc, argv, [](bench::Arguments& arguments) {
    const std::vector<int> threads = arguments.take_threads();
    for (const registry::Entry& entry : registry::all()) {
      for (const bool backward : {false, true}) {
        if (backward && !has_backward(entry)) continue;
        for (const int count : threads) {
          const std::string name =
              tg::detail::concat(entry.title(), backward ? "/backward" : "/forward", "/threads:", count);
          benchmark::RegisterBenchmark(name.c_str(), measure, entry, backward, count)->UseManualTime();
        }
      }
    }
    using namespace tg::optim;
    register_steps<Adam>("adam", AdamOptions{}, threads);
    register_steps<SGD>("sgd", SGDOptions{}, threads);
    register_steps<SGD>("sgd, momentum", SGDOptions{.momentum = 0.9}, threads);
    register_steps<RMSprop>("rmsprop", RMSpropOptions{}, threads);
    return arguments.run_benchmarks();
  });
}
