// The promise: one binary, one seed, one set of data, the same bits.

#include <atomic>
#include <thread>

#include "catch.hpp"
#include "core/simd_isas.hpp"
#include "equal.hpp"
#include "model.hpp"
#include "threads.hpp"
#include "torture.hpp"

using namespace tapegrad;

namespace {

#ifdef NDEBUG
const int many_epochs = times(20, 100);
#else
const int many_epochs = 3;  // sanitizers take their time
#endif

/// The parameters after epochs of 12 steps.
std::vector<Tensor> trained(const data::ImageDataset& images, int epochs = many_epochs) {
  training::Run run(images);
  for (int epoch = 0; epoch < epochs; ++epoch) run.epoch([] {});
  std::vector<Tensor> values;
  for (const Parameter* parameter : run.model.parameters()) values.emplace_back(parameter->value());
  return values;
}

}  // namespace

TEST_CASE("training gives the same bits on any number of threads") {
  const auto images = training::images(600);
  const Threads guard(1);
  const auto expected = trained(images);
  CHECK_FALSE(equal(trained(images, 1), trained(training::images(601), 1)));  // the comparison can fail
  for (int threads : {2, 3, 4, 7}) {
    set_num_threads(threads);
    INFO("threads: " << threads);
    CHECK(equal(expected, trained(images)));
  }
  tell_tried(std::to_string(12 * many_epochs) + " steps cut for 1, 2, 3, 4 and 7 threads");
}

TEST_CASE("training gives the same bits on a busy machine") {
  const Threads guard(2);
  const auto images = training::images(600);
  const int epochs = times(2, many_epochs);
  const auto expected = trained(images, epochs);
  std::atomic<bool> stop = false;
  std::vector<std::thread> others;
  for (unsigned i = 0; i < std::thread::hardware_concurrency(); ++i)
    others.emplace_back([&] {
      while (!stop) {
      }
    });
  const auto found = trained(images, epochs);
  stop = true;
  for (std::thread& other : others) other.join();
  CHECK(equal(expected, found));
}

TEST_CASE("training gives the same bits with AVX2 as with AVX-512") {
  if (!simd::supported(Isa::avx512)) {
    WARN("this machine has no AVX-512: not compared");
    return;
  }
  const auto images = training::images(600);
  const UseIsa avx512(Isa::avx512);
  const auto expected = trained(images);
  const UseIsa avx2(Isa::avx2);
  CHECK(equal(expected, trained(images)));
  tell_tried("with AVX-512 and with AVX2");
}

TEST_CASE("two threads with a tape each share a model, and get the same bits as one alone") {
  const Threads guard(2);  // each of the two forks
  Rng rng(1);
  training::Model model(rng);
  model.eval();
  for (Parameter* parameter : model.parameters()) parameter->set_requires_grad(false);
  const auto images = training::images(256);

  struct Pass {
    Tensor logits, gradient;  // of the images
  };
  const auto passes = [&](int first, Pass& last) {
    Tape tape;
    for (int i = 0; i < times(20, 500); ++i) {
      tape.reset();
      const Var x = tape.variable(images.tensor(first, 128));
      const auto [mu, log_var] = split<2>(model.moments(model.dropout(relu(model.normalize(model.encode(x))))));
      const Var logits = model.pixels(tanh(model.expand(mu * exp(log_var))));
      sum(logits * logits).backward();
      last = {Tensor(logits.value()), Tensor(x.grad())};
    }
  };
  Pass alone[2], together[2];
  for (int i : {0, 1}) passes(128 * i, alone[i]);
  std::thread other([&] { passes(128, together[1]); });
  passes(0, together[0]);
  other.join();
  for (int i : {0, 1}) {
    CHECK(tapegrad::same_bits(alone[i].logits, together[i].logits));
    CHECK(tapegrad::same_bits(alone[i].gradient, together[i].gradient));
  }
  CHECK_FALSE(tapegrad::same_bits(alone[0].logits, alone[1].logits));
  tell_tried("two tapes on two threads, " + std::to_string(times(20, 500)) + " passes");
}
