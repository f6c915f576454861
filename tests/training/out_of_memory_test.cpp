// Where memory runs out: operator new fails, at each call in turn.

#include <atomic>
#include <cstdlib>
#include <limits>
#include <new>
#include <thread>

#include "catch.hpp"
#include "io/temporary.hpp"
#include "model.hpp"
#include "sanitizers.hpp"
#include "tapegrad/io/checkpoint.hpp"
#include "threads.hpp"
#include "torture.hpp"

// ThreadSanitizer's operator new cannot be replaced.
#if !__has_feature(thread_sanitizer)

namespace {

using namespace tapegrad;

constexpr long never = std::numeric_limits<long>::max();
std::atomic<long> live{0};            // what operator new gave and nobody gave back
std::atomic<long> calls_left{never};  // of operator new, until one fails
std::atomic<bool> fails_for_good{false};

void* take(std::size_t bytes, std::size_t alignment = alignof(std::max_align_t)) {
  const long left = --calls_left;
  if (left == 0 || (left < 0 && fails_for_good)) throw std::bad_alloc();
  void* const memory = std::aligned_alloc(alignment, (bytes / alignment + 1) * alignment);
  if (memory == nullptr) throw std::bad_alloc();
  ++live;
  return memory;
}
void give_back(void* memory) {
  if (memory != nullptr) --live;
  std::free(memory);
}

struct Failure {
  bool reached;  // whether there were so many calls
  bool thrown;   // whether the body threw bad_alloc
};
/// Calls `body` while a call of operator new fails, and all after it if for good.
template <class Body>
Failure fail_at(long call, bool for_good, const Body& body) {
  bool thrown = false;
  fails_for_good = for_good;
  calls_left = call;
  try {
    body();
  } catch (const std::bad_alloc&) {
    thrown = true;
  }
  return {calls_left.exchange(never) <= 0, thrown};
}

/// Makes a model and trains it for one step; a digest of what comes out.
std::uint64_t first_step(const data::ImageDataset& images, Tape& tape) {
  Rng weights(1), order(2), noise(3);
  training::Model model(weights);
  optim::Adam adam(model.parameters());
  data::Batches batches(images, {.size = 64, .shuffle = &order, .binarize = data::Binarize::bernoulli});
  const auto batch = *batches.begin();
  tape.reset();
  tape.set_profiling(true);
  model.loss(tape.constant(batch.images), batch.labels, noise).backward();
  adam.step();
  return training::digest(model);
}

}  // namespace

void* operator new(std::size_t bytes) { return take(bytes); }
void* operator new(std::size_t bytes, std::align_val_t alignment) {
  return take(bytes, static_cast<std::size_t>(alignment));
}
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
  try {
    return take(bytes);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}
void operator delete(void* memory) noexcept { give_back(memory); }
void operator delete(void* memory, std::size_t) noexcept { give_back(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { give_back(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { give_back(memory); }

TEST_CASE("memory that runs out anywhere in a first step: bad_alloc, no leak, and the tape can be used again") {
  const auto images = training::images(64);
  long failures = 0;
  // Each trial has a thread of its own, so that its room for packing is to be made, too.
  const auto in_new_thread = [](const auto& body) { std::thread(body).join(); };
  for (int threads : {1, 2}) {
    const Threads guard(threads);
    std::uint64_t expected = 0;
    in_new_thread([&] {
      Tape tape;
      expected = first_step(images, tape);
    });
    for (bool for_good : {false, true}) {
      bool reached = true;
      long call = 1;
      for (; reached; call += trial_stride) {
        const long before = live;
        std::uint64_t again = 0;
        Failure failure{};
        in_new_thread([&] {
          Tape tape;
          failure = fail_at(call, for_good, [&] { first_step(images, tape); });
          again = first_step(images, tape);
        });
        reached = failure.reached;
        const long leaked = threads == 1 ? live - before : 0;  // OpenMP's threads keep their rooms for a while
        INFO("call " << call << " of operator new fails" << (for_good ? ", and all after it" : ""));
        CHECK(failure.thrown == failure.reached);
        CHECK(again == expected);
        CHECK(leaked == 0);
        failures += failure.thrown;
      }
      CHECK(call > 100);
    }
  }
  tell_tried(std::to_string(failures) + " failures");
}

TEST_CASE("memory that runs out anywhere while a run is saved or loaded: bad_alloc, and nothing has changed") {
  const TemporaryDirectory dir;
  const io::Path path = dir / "run", other_path = dir / "other";
  Rng rng(1);
  nn::Linear model(rng, 3, 2);
  optim::Adam adam(model.parameters());
  std::string log = "a text that is too long to be kept without memory of its own";
  Index epoch = 1;
  io::Checkpoint checkpoint;
  checkpoint.add("model", model).add("adam", adam).add("rng", rng).add("log", log).add("epoch", epoch);
  checkpoint.save(path);
  const std::string saved = read_bytes(path);
  // What is there when the file is loaded: all of it different.
  const auto change = [&] {
    for (Parameter* parameter : model.parameters()) parameter->mutable_value().fill(7);
    adam.states()[0].steps = 7;
    rng = Rng(7);
    log = "no text that is kept without memory of its own, but another";
    epoch = 7;
  };
  change();
  checkpoint.save(other_path);
  const std::string changed = read_bytes(other_path);

  for (bool for_good : {false, true}) {
    bool reached = true;
    long call = 1;
    for (; reached; call += trial_stride) {
      change();
      const Failure load = fail_at(call, for_good, [&] { checkpoint.load(path); });
      reached = load.reached;
      INFO("call " << call << " of operator new fails" << (for_good ? ", and all after it" : ""));
      CHECK(load.thrown == load.reached);

      const Failure save = fail_at(call, for_good, [&] { checkpoint.save(other_path); });
      const std::string expected = load.thrown ? changed : saved;
      CHECK(read_bytes(other_path) == (save.thrown ? changed : expected));
      checkpoint.save(other_path);
      CHECK(read_bytes(other_path) == expected);
      write_bytes(other_path, changed);
    }
    CHECK(call > 100);
  }
}

TEST_CASE("an optimizer that has no memory for another group is as it was") {
  Rng rng(1);
  nn::Linear one(rng, 3, 2), other(rng, 3, 2);
  one.weight.mutable_grad().fill(1);
  const std::vector<Parameter*> more = other.parameters();
  bool failed = true;
  for (long call = 1; failed; ++call) {
    optim::Adam adam(one.parameters());
    const Failure failure = fail_at(call, false, [&] { adam.add_group(more, {}); });
    failed = failure.thrown;
    INFO("call " << call << " of operator new fails");
    CHECK(failed == failure.reached);
    CHECK(adam.groups() == (failed ? 1 : 2));
    CHECK(adam.states().size() == (failed ? 2 : 4));
    if (failed) adam.add_group(more, {.lr = 0.5});
    CHECK(adam.lr(1) == (failed ? 0.5 : 1e-3));
    adam.step();
  }
}

TEST_CASE("a text that there is no memory for is no half a text") {
  const std::string part(1000, 'x');
  CHECK(fail_at(2, false, [&] { detail::concat(part, part, part); }).thrown);
}

#endif
