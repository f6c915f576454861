// What the tape itself costs, on a chain of ops whose arithmetic is next to nothing.
//
//   bench_tape               ns an op and bytes a node; bare: the same arithmetic without a tape
//   bench_tape --steps=100   that many passes, forward and backward, and nothing else: for a profiler

#include "common/arguments.hpp"
#include "common/chain.hpp"

namespace {

template <class Chain>
void measure(benchmark::State& state, bool backward) {
  Chain chain;
  const bench::Stopwatch watch;
  for (auto _ : state) {
    chain.forward();
    if (backward) chain.backward();
    benchmark::ClobberMemory();
  }
  state.counters["ns_per_op"] = 1e9 * watch.seconds() / static_cast<double>(state.iterations() * bench::chain_ops);
  if constexpr (requires { chain.tape; })
    state.counters["bytes_per_node"] = static_cast<double>(chain.tape.bytes()) / static_cast<double>(chain.tape.size());
}

}  // namespace

int main(int argc, char** argv) {
  return bench::run_main(argc, argv, [](bench::Arguments& arguments) {
    const int steps = arguments.take_number("steps");
    if (steps > 0) {
      arguments.require_none();
      bench::Chain chain;
      for (int step = 0; step < steps; ++step) {
        chain.forward();
        chain.backward();
      }
      return 0;
    }
    benchmark::RegisterBenchmark("tape/forward", measure<bench::Chain>, false);
    benchmark::RegisterBenchmark("tape/forward+backward", measure<bench::Chain>, true);
    benchmark::RegisterBenchmark("bare/forward", measure<bench::BareChain>, false);
    benchmark::RegisterBenchmark("bare/forward+backward", measure<bench::BareChain>, true);
    return arguments.run_benchmarks();
  });
}
