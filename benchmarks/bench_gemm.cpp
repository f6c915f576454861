// The library's matrix product on the shapes of layers: FLOPS, and the share of the peak that is measured beside it.
//
//   bench_gemm --threads=1,2 --benchmark_filter='VAE.*fwd.*cold'

#include "common/arguments.hpp"
#include "common/fma_peak.hpp"
#include "common/multiply.hpp"

namespace {

void measure(benchmark::State& state, const bench::Product& product, bool cold, int threads) {
  tapegrad::set_num_threads(threads);
  bench::Operands operands(product, cold);
  const double peak = 1e9 * bench::fma_peak(threads);
  const bench::Stopwatch watch;
  for (auto _ : state) {
    bench::multiply(product, operands.a(), operands.b(), operands.c());
    operands.next();
  }
  state.counters["FLOPS"] = bench::rate(product.operations());
  const auto calls = static_cast<double>(state.iterations());
  state.counters["of_peak"] = product.operations() * calls / watch.seconds() / peak;
}

}  // namespace

int main(int argc, char** argv) {
  bench::Arguments arguments(argc, argv);
  const std::vector<int> threads = arguments.take_threads();
  for (const auto& [group, layers, passes] : bench::layer_groups()) {
    for (const bench::Layer& layer : layers) {
      const auto [batch, inputs, outputs] = layer;
      for (const std::string& pass : passes) {
        for (const bool cold : {false, true}) {
          for (const int count : threads) {
            const std::string name = tapegrad::detail::concat(group, "/", batch, "-", inputs, "-", outputs, "/", pass,
                                                              cold ? "/cold" : "/hot", "/threads:", count);
            benchmark::RegisterBenchmark(name.c_str(), measure, bench::product(pass, layer), cold, count)
                ->UseRealTime()
                ->Unit(benchmark::kMicrosecond);
          }
        }
      }
    }
  }
  return arguments.run_benchmarks();
}
