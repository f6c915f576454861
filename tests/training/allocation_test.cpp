// From its second step on, training takes no memory from the heap: malloc itself is counted, on all threads.

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <thread>

#include "catch.hpp"
#include "model.hpp"
#include "sanitizers.hpp"
#include "threads.hpp"

// The sanitizers bring a malloc of their own.
#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !__has_feature(address_sanitizer) && \
    !__has_feature(thread_sanitizer)

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

  const auto images = training::images(500);
  for (int threads : {1, 2}) {
    const Threads guard(threads);
    training::Run run(images);
    std::vector<long> counts;
    counts.reserve(100);
    for (int epoch = 0; epoch < 3; ++epoch) run.epoch([&] { counts.push_back(allocations.load()); });
    INFO("threads: " << threads);
    CHECK(counts.back() - counts.front() == 0);
  }
}

TEST_CASE("Eigen's matrices, arrays and expressions go onto a tape without a detour") {
  const Eigen::MatrixXd doubles = Eigen::MatrixXd::Ones(20, 3);
  const Eigen::RowVectorXf row = Eigen::RowVectorXf::Ones(100);
  tapegrad::Tape tape;
  long before = 0;
  for (int pass = 0; pass < 2; ++pass) {
    tape.reset();
    before = allocations;
    tape.constant(doubles);
    tape.variable(2 * row.array() + 1);
  }
  CHECK(allocations - before == 0);
}

TEST_CASE("threads that take part in a product late allocate nothing") {
  const tapegrad::Index rows = 64, depth = 256, cols = 512;
  const tapegrad::Tensor a({rows, depth}), b({depth, cols});
  tapegrad::Tensor c({rows, cols});
  const auto product = [&] {
    tapegrad::gemm({a.data(), rows, depth, depth, 1}, {b.data(), depth, cols, cols, 1},
                   {c.data(), rows, cols, cols, 1});
  };
  std::thread([&] {
    const Threads guard(2);
    tapegrad::parallel_for(2, 1, [&](tapegrad::Index begin, tapegrad::Index) {
      if (begin == 0) product();  // alone, as nothing nests
    });
    const long before = allocations;
    product();
    CHECK(allocations - before == 0);
  }).join();
}

#endif

TEST_CASE("a tape does not grow, pass after pass of training") {
  const auto images = training::images(50);
  training::Run run(images);
  run.epoch([] {});
  const std::size_t bytes = run.tape.bytes();
  for (int pass = 1; pass < 1000; pass += trial_stride) run.epoch([] {});
  CHECK(run.tape.bytes() == bytes);
}
