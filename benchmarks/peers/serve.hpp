#pragma once
// How benchmarks/compare talks to a program that it measures: it writes "SECONDS TASK" to its input, and reads one
// number from its output, or "none" where the program does not do such a task. A task stays as it is between its turns,
// so that programs can be measured in turn, a fraction of a second each. Threads: OMP_NUM_THREADS.

#include <functional>
#include <iostream>
#include <map>
#include <sstream>
#include <string>

#include "../common/products.hpp"
#include "../common/stopwatch.hpp"

namespace peers {

/// Measures for some seconds and gives the figure.
using Measurement = std::function<double(double seconds)>;

/// The median time of a call, in ms. The first calls of a turn are left out: caches and threads have to wake up.
inline Measurement median_ms(std::function<void()> call) {
  return [call](double seconds) {
    bench::median_ms(seconds / 4, call);
    return bench::median_ms(seconds, call);
  };
}

/// Answers requests until the input ends. `make` gives the measurement of a task, or an empty one.
inline int serve(const std::function<Measurement(const std::string& task)>& make) {
  std::map<std::string, Measurement> tasks;
  double seconds = 0;
  for (std::string task; std::cin >> seconds && std::getline(std::cin >> std::ws, task);) {
    if (tasks.count(task) == 0) tasks[task] = make(task);
    const Measurement& measure = tasks[task];
    if (measure) {
      std::cout << measure(seconds) << std::endl;
    } else {
      std::cout << "none" << std::endl;
    }
  }
  return 0;
}

/// C = op(A) op(B).
using Multiply = std::function<void(const float* a, const float* b, float* c)>;

/// The measurement of a task "product fwd 128 784 512 cold", in ms; empty for any other task. `prepare` gives what
/// multiplies matrices of the sizes of a product.
inline Measurement product_measurement(const std::string& task,
                                       const std::function<Multiply(const bench::Product&)>& prepare) {
  std::istringstream words(task);
  std::string kind, pass, temperature;
  bench::Layer layer{};
  words >> kind >> pass >> layer.batch >> layer.inputs >> layer.outputs >> temperature;
  if (kind != "product") return nullptr;
  const bench::Product product = bench::product(pass, layer);
  return median_ms([multiply = prepare(product), operands = bench::Operands(product, temperature == "cold")]() mutable {
    multiply(operands.a(), operands.b(), operands.c());
    operands.next();
  });
}

/// A program that only multiplies matrices.
inline int serve_products(const std::function<Multiply(const bench::Product&)>& prepare) {
  return serve([&](const std::string& task) { return product_measurement(task, prepare); });
}

}  // namespace peers
