// One step of training: gather a batch, forward, backward, Adam.
//
//   bench_step --threads=1,2 --model=vae      ms, images/s, and the share of the peak that is measured beside it
//   bench_step --model=vae --profile          where the time goes, op by op
//   bench_step --model=vae --epochs=20        whether steps become slower as training goes on
//   bench_step --model=iwae1 --busy           while each core has other work to do
//   bench_step --model=vae --steps=100        that many steps and nothing else, for a profiler
//
// Models: vae, decoder, iwae1, iwae5; all of them if none is named. Threads: 1 and the number of cores.

#include <atomic>
#include <thread>

#include "common/arguments.hpp"
#include "common/fma_peak.hpp"
#include "common/training.hpp"

namespace tg = tapegrad;

namespace {

constexpr int warm_up_steps = 10;

void run(bench::Training& training, tg::Index steps) {
  for (tg::Index i = 0; i < steps; ++i) training.step();
}

void measure(benchmark::State& state, const std::string& model, int threads) {
  tg::set_num_threads(threads);
  const auto training = bench::make_training(model);
  run(*training, warm_up_steps);
  const double peak = 1e9 * bench::fma_peak(threads);
  const bench::Stopwatch watch;
  for (auto _ : state) training->step();
  const auto steps = static_cast<double>(state.iterations());
  state.counters["images"] = bench::rate(static_cast<double>(training->batch_size));
  state.counters["of_peak"] = training->operations * steps / watch.seconds() / peak;
}

void print_profile(const std::string& model) {
  constexpr int steps = 200;
  const auto training = bench::make_training(model);
  run(*training, warm_up_steps);
  training->tape.set_profiling(true);
  const bench::Stopwatch watch;
  run(*training, steps);
  const double ms_per_step = 1e3 / steps, whole = watch.seconds() * ms_per_step;
  double rest = whole;
  std::printf("  %-20s %10s %12s %12s\n", "op", "calls", "forward, ms", "backward, ms");
  for (const tg::OpProfile& op : training->tape.profile()) {
    std::printf("  %-20s %10g %12.4f %12.4f\n", op.name, static_cast<double>(op.calls) / steps,
                op.forward_seconds * ms_per_step, op.backward_seconds * ms_per_step);
    rest -= (op.forward_seconds + op.backward_seconds) * ms_per_step;
  }
  std::printf("  %-20s %23.4f\n  %-20s %23.4f\n", "batch, noise, Adam", rest, "the whole step", whole);
}

/// Trains for some epochs, then does the last one and the first of a fresh training in turn, a few steps each, so that
/// what else the machine does falls on both.
void compare_epochs(const std::string& model, int epochs) {
  const auto old = bench::make_training(model), fresh = bench::make_training(model);
  for (int epoch = 1; epoch < epochs; ++epoch) {
    const bench::Stopwatch watch;
    run(*old, old->steps_per_epoch);
    const double ms = 1e3 * watch.seconds() / static_cast<double>(old->steps_per_epoch);
    std::printf("  epoch %d: %.3f ms a step\n", epoch, ms);
    std::fflush(stdout);
  }
  run(*fresh, warm_up_steps);
  constexpr tg::Index turn = 10;
  std::vector<double> ratios;
  for (tg::Index step = warm_up_steps; step + turn <= fresh->steps_per_epoch; step += turn) {
    const bench::Stopwatch first;
    run(*fresh, turn);
    const double seconds = first.seconds();
    const bench::Stopwatch last;
    run(*old, turn);
    ratios.push_back(last.seconds() / seconds);
  }
  std::printf("  a step of epoch %d takes %.3f times as long as one of epoch 1\n", epochs, bench::median(ratios));
}

/// Steps while a thread of other work spins on each core; in turn, with all work shared as if nobody else were there.
void compare_busy(const std::string& model) {
  std::atomic<bool> stop = false;
  std::vector<std::thread> others;
  for (int i = 0; i < tg::detail::processors(); ++i)
    others.emplace_back([&] {
      while (!stop) {
      }
    });
  const auto training = bench::make_training(model);
  run(*training, warm_up_steps);
  constexpr tg::Index turn = 20;
  constexpr int turns = 20;
  double seconds[2] = {};
  for (int i = 0; i < 2 * turns; ++i) {
    tg::detail::always_share = i % 2 != 0;
    const bench::Stopwatch watch;
    run(*training, turn);
    seconds[i % 2] += watch.seconds();
  }
  tg::detail::always_share = false;
  stop = true;
  for (std::thread& other : others) other.join();
  constexpr double ms_per_step = 1e3 / (turns * turn);
  std::printf("  %.3f ms a step on the mean; %.3f if all work is shared\n", seconds[0] * ms_per_step,
              seconds[1] * ms_per_step);
}

}  // namespace

int main(int argc, char** argv) {
  return bench::run_main(argc, argv, [](bench::Arguments& arguments) {
    const std::vector<int> threads = arguments.take_threads();
    const std::string model = arguments.take("model", "");
    const int steps = arguments.take_number("steps"), epochs = arguments.take_number("epochs");
    const bool profile = arguments.take("profile"), busy = arguments.take("busy");
    const bool benchmarks = steps == 0 && epochs == 0 && !profile && !busy;
    if (!benchmarks) arguments.require_none();

    std::vector<std::string> models(bench::model_names.begin(), bench::model_names.end());
    if (!model.empty()) {
      bench::check_model(model);
      models = {model};
    }
    for (const std::string& name : models) {
      for (const int count : threads) {
        if (benchmarks) {
          benchmark::RegisterBenchmark((name + "/threads:" + std::to_string(count)).c_str(), measure, name, count)
              ->UseRealTime()
              ->Unit(benchmark::kMillisecond);
          continue;
        }
        tg::set_num_threads(count);
        std::printf("%s, threads: %d\n", name.c_str(), count);
        if (steps > 0) run(*bench::make_training(name), steps);
        if (epochs > 0) compare_epochs(name, epochs);
        if (profile) print_profile(name);
        if (busy) compare_busy(name);
      }
    }
    return benchmarks ? arguments.run_benchmarks() : 0;
  });
}
