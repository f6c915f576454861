// From its second step on, training takes no memory from the heap: malloc itself is counted, on all threads.

#include <atomic>
#include <cstdlib>

#include "catch.hpp"
#include "model.hpp"

// The sanitizers bring a malloc of their own.
#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__)

static std::atomic<long> allocations{0};

extern "C" {
void* __libc_malloc(std::size_t bytes);
void* __libc_calloc(std::size_t count, std::size_t bytes);
void* __libc_realloc(void* old, std::size_t bytes);
void* __libc_memalign(std::size_t alignment, std::size_t bytes);

void* malloc(std::size_t bytes) {
  ++allocations;
  return __libc_malloc(bytes);
}
void* calloc(std::size_t count, std::size_t bytes) {
  ++allocations;
  return __libc_calloc(count, bytes);
}
void* realloc(void* old, std::size_t bytes) {
  ++allocations;
  return __libc_realloc(old, bytes);
}
void* aligned_alloc(std::size_t alignment, std::size_t bytes) {
  ++allocations;
  return __libc_memalign(alignment, bytes);
}
int posix_memalign(void** result, std::size_t alignment, std::size_t bytes) {
  ++allocations;
  *result = __libc_memalign(alignment, bytes);
  return *result ? 0 : ENOMEM;
}
}

TEST_CASE("a training step allocates nothing from its second pass on") {
  const long before = allocations;
  void* volatile taken = std::malloc(1);  // volatile: clang would leave out what nobody looks at
  std::free(taken);
  REQUIRE(allocations - before == 1);  // the counter counts

  const int threads_before = tapegrad::num_threads();
  const auto images = training::images(500);
  for (int threads : {1, 2}) {
    tapegrad::set_num_threads(threads);
    training::Run run(images);
    std::vector<long> counts;
    counts.reserve(100);
    for (int epoch = 0; epoch < 3; ++epoch) run.epoch([&] { counts.push_back(allocations.load()); });
    INFO("threads: " << threads);
    CHECK(counts.back() - counts.front() == 0);
  }
  tapegrad::set_num_threads(threads_before);
}

#endif

TEST_CASE("a tape does not grow over a thousand training passes") {
  const auto images = training::images(50);
  training::Run run(images);
  run.epoch([] {});
  const std::size_t bytes = run.tape.bytes();
  for (int pass = 1; pass < 1000; ++pass) run.epoch([] {});
  CHECK(run.tape.bytes() == bytes);
}
