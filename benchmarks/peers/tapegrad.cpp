// The library itself, as its peers are measured.

#include "../common/chain.hpp"
#include "../common/fma_peak.hpp"
#include "../common/multiply.hpp"
#include "../common/training.hpp"
#include "serve.hpp"

namespace {

/// The forward and backward pass of a chain.
template <class Chain>
peers::Measurement measure_chain() {
  return peers::median_ms([chain = std::make_shared<Chain>()] {
    chain->forward();
    chain->backward();
  });
}

/// "peak" (GFLOPS), "operations MODEL", "operations chain"; and, in ms, "step MODEL", "chain", "bare chain", products.
peers::Measurement make(const std::string& task) {
  const std::string kind = task.substr(0, task.find(' ')), of = task.substr(task.find(' ') + 1);
  if (kind == "peak") return [](double) { return bench::fma_peak(tapegrad::num_threads()); };
  if (task == "operations chain") return [](double) { return bench::chain_ops; };
  if (kind == "operations") return [of](double) { return bench::make_training(of)->operations; };
  if (task == "chain") return measure_chain<bench::Chain>();
  if (task == "bare chain") return measure_chain<bench::BareChain>();
  if (kind == "step") {
    const std::shared_ptr<bench::Training> training = bench::make_training(of);
    return peers::median_ms([training] { training->step(); });
  }
  return peers::product_measurement(task, [](const bench::Product& product) {
    return [product](const float* a, const float* b, float* c) { bench::multiply(product, a, b, c); };
  });
}

}  // namespace

int main() { return peers::serve(make); }
