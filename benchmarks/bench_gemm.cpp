// The library's matrix product on the shapes of layers: FLOPS, and the share of the peak that is measured beside it.
//
//   bench_gemm --threads=1,2 --benchmark_filter='VAE.*fwd.*cold'
//   bench_gemm --benchmark_filter=tile      one tile on operands that lie near

#include "common/arguments.hpp"
#include "common/fma_peak.hpp"
#include "common/multiply.hpp"

namespace {

/// Calls `multiply` again and again; it does that many operations on that many threads.
template <class Multiply>
void measure(benchmark::State& state, double operations, int threads, const Multiply& multiply) {
  const double peak = 1e9 * bench::fma_peak(threads);
  const bench::Stopwatch watch;
  for (auto _ : state) multiply();
  state.counters["FLOPS"] = bench::rate(operations);
  state.counters["of_peak"] = operations * static_cast<double>(state.iterations()) / watch.seconds() / peak;
}

void measure_product(benchmark::State& state, const bench::Product& product, bool cold, int threads) {
  tapegrad::set_num_threads(threads);
  bench::Operands operands(product, cold);
  measure(state, product.operations(), threads, [&] {
    bench::multiply(product, operands.a(), operands.b(), operands.c());
    operands.next();
  });
}

/// One tile, on operands that lie near, a packed strip and a packed panel: what products could reach.
void measure_tile(benchmark::State& state) {
  namespace gemm = tapegrad::gemm_detail;
  const gemm::Kernel& kernel = gemm::kernel();
  const bench::Product tile{kernel.height, gemm::max_width * kernel.lanes, gemm::max_depth, false, false};
  const bench::Operands operands(tile, false);
  const float zeros[gemm::max_width * gemm::max_lanes] = {};
  const gemm::PanelWork one_tile{.a = operands.a(),
                                 .a_row = 1,
                                 .a_step = tile.m,
                                 .a_strip = 0,
                                 .b = operands.b(),
                                 .b_step = tile.n,
                                 .start = zeros,
                                 .start_row = 0,
                                 .c = operands.c(),
                                 .c_row = tile.n,
                                 .rows = tile.m,
                                 .cols = tile.n,
                                 .depth = tile.k};
  measure(state, tile.operations(), 1, [&] {
    gemm::PanelWork work = one_tile;
    kernel.multiply(work, tile.n, true);
  });
}

}  // namespace

int main(int argc, char** argv) {
  return bench::run_main(argc, argv, [](bench::Arguments& arguments) {
    const std::vector<int> threads = arguments.take_threads();
    for (const auto& [group, layers, passes] : bench::layer_groups()) {
      for (const bench::Layer& layer : layers) {
        const auto [batch, inputs, outputs] = layer;
        for (const std::string& pass : passes) {
          for (const bool cold : {false, true}) {
            if (cold && !bench::Operands::can_be_cold(bench::product(pass, layer))) continue;
            for (const int count : threads) {
              const std::string name = tapegrad::detail::concat(group, "/", batch, "-", inputs, "-", outputs, "/", pass,
                                                                cold ? "/cold" : "/hot", "/threads:", count);
              benchmark::RegisterBenchmark(name.c_str(), measure_product, bench::product(pass, layer), cold, count)
                  ->UseRealTime()
                  ->Unit(benchmark::kMicrosecond);
            }
          }
        }
      }
    }
    benchmark::RegisterBenchmark("tile", measure_tile);
    return arguments.run_benchmarks();
  });
}
