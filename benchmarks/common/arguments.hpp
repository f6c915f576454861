#pragma once
// A benchmark's own arguments, beside Google Benchmark's.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <sstream>
#include <string>
#include <tapegrad/core/build_info.hpp>
#include <tapegrad/core/error.hpp>
#include <tapegrad/core/parallel.hpp>
#include <vector>

#include "stopwatch.hpp"

namespace bench {

namespace tg = tapegrad;

/// `--name=value` and `--name` are read here, everything else by Google Benchmark. Throws ValueError for what is no
/// value of its name.
class Arguments {
 public:
  Arguments(int argc, char** argv) : all_(argv, argv + argc) {}

  /// Takes `--name=value` out; `otherwise` if it is not there.
  std::string take(const std::string& name, std::string otherwise) {
    const std::string start = "--" + name + "=";
    const auto found =
        std::find_if(all_.begin(), all_.end(), [&](const std::string& a) { return a.starts_with(start); });
    if (found == all_.end()) return otherwise;
    otherwise = found->substr(start.size());
    all_.erase(found);
    return otherwise;
  }
  /// Takes `--name` out; whether it was there.
  bool take(const std::string& name) { return std::erase(all_, "--" + name) > 0; }

  /// Takes `--name=number` out; 0 if it is not there.
  int take_number(const std::string& name) { return number(name, take(name, "0"), 0); }
  /// Takes `--threads=1,2` out: 1 and the number of processors if it is not there.
  std::vector<int> take_threads() {
    const int processors = tg::detail::processors();
    std::istringstream list(take("threads", processors == 1 ? "1" : "1," + std::to_string(processors)));
    std::vector<int> threads;
    for (std::string count; std::getline(list, count, ',');) threads.push_back(number("threads", count, 1));
    tg::detail::require<tg::ValueError>(!threads.empty(), "--threads: got nothing; it must be numbers, as in 1,2");
    return threads;
  }
  /// For those who do not run the registered benchmarks: nothing may be left.
  void require_none() const { tg::detail::require<tg::ValueError>(all_.size() < 2, all_.back(), " is not known here"); }

  /// Runs the registered benchmarks with what is left, each for at least a tenth of a second. Returns the exit code.
  int run_benchmarks() {
    all_.insert(all_.begin() + 1, "--benchmark_min_time=0.1");  // a later one counts
    benchmark::AddCustomContext("tapegrad", tg::build_info());
    std::vector<char*> rest;
    for (std::string& argument : all_) rest.push_back(argument.data());
    int count = static_cast<int>(rest.size());
    benchmark::Initialize(&count, rest.data());
    if (benchmark::ReportUnrecognizedArguments(count, rest.data())) return 2;
    benchmark::RunSpecifiedBenchmarks();
    return 0;
  }

 private:
  static int number(const std::string& name, const std::string& text, int least) {
    int value = 0;
    const char* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, value);
    tg::detail::require<tg::ValueError>(error == std::errc() && rest == end && value >= least, "--", name, ": got \"",
                                        text, "\"; it must be a whole number, at least ", least);
    return value;
  }

  std::vector<std::string> all_;
};

/// What a benchmark's main does: calls body(arguments). An error is one line, and 2 as the exit code.
template <class Body>
int run_main(int argc, char** argv, const Body& body) {
  try {
    Arguments arguments(argc, argv);
    return body(arguments);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", argv[0], error.what());
    return 2;
  }
}

/// A counter per second: how often `amount` was done in each iteration.
inline benchmark::Counter rate(double amount) {
  return {amount, benchmark::Counter::kIsIterationInvariantRate, benchmark::Counter::kIs1000};
}

}  // namespace bench
