#include <numeric>
#include <set>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "tapegrad/core/parallel.hpp"
#include "threads.hpp"

#if defined(_OPENMP)
#include <omp.h>
#endif
#if defined(__linux__)
#include <sched.h>
#endif

using namespace tapegrad;

TEST_CASE("every element is visited once, in chunks that do not depend on threads") {
  for (int threads : {1, 2, 3, 7}) {
    const Threads guard(threads);
    for (Index n : {0, 1, 9, 10, 11, 105}) {
      std::vector<int> visits(static_cast<std::size_t>(n));
      std::atomic<bool> chunks_right = true;
      parallel_for(n, 10, [&](Index begin, Index end) {
        if (begin % 10 != 0 || end != std::min(n, begin + 10)) chunks_right = false;
        for (Index i = begin; i < end; ++i) ++visits[static_cast<std::size_t>(i)];
      });
      CHECK(chunks_right);
      CHECK(visits == std::vector<int>(static_cast<std::size_t>(n), 1));
    }
  }
}

TEST_CASE("the first exception, in the order of the chunks, comes out") {
  for (int threads : {1, 2, 4}) {
    const Threads guard(threads);
    CHECK_THROWS_WITH(parallel_for(100, 10,
                                   [](Index begin, Index) {
                                     if (begin >= 30) throw std::runtime_error("chunk " + std::to_string(begin / 10));
                                   }),
                      "chunk 3");
  }
}

TEST_CASE("more threads than processors share them") {
  const Threads guard(100);
  std::vector<std::thread::id> ids(100);
  std::vector<int> visits(100);
  detail::parallel_region(100, 100, [&](int thread, int threads) {
    const auto i = static_cast<std::size_t>(threads == 100 ? thread : 0);
    ids[i] = std::this_thread::get_id();
    ++visits[i];
  });
  CHECK(visits == std::vector<int>(100, 1));
  CHECK(std::set(ids.begin(), ids.end()).size() <= std::thread::hardware_concurrency());
}

TEST_CASE("a team does not shrink where there is less work, as OpenMP would end its threads and start them again") {
  std::vector<int> sizes;
  std::thread has_not_forked([&] {
    for (const auto& [shares, most] : {std::pair(4, 8), {2, 8}, {8, 8}, {5, 8}, {8, 4}, {2, 8}})
      sizes.push_back(detail::team_size(shares, most));
  });
  has_not_forked.join();
  CHECK(sizes == std::vector<int>{4, 4, 8, 8, 4, 4});
}

TEST_CASE("nested loops stay on their thread, also where OpenMP would nest") {
  const Threads guard(2);
#if defined(_OPENMP)
  const int levels = omp_get_max_active_levels();
  omp_set_max_active_levels(2);
#endif
  std::vector<int> visits(400);
  std::atomic<bool> stayed = true;
  parallel_for(4, 1, [&](Index outer, Index) {
    const std::thread::id thread = std::this_thread::get_id();
    parallel_for(100, 10, [&](Index begin, Index end) {
      if (std::this_thread::get_id() != thread) stayed = false;
      for (Index i = begin; i < end; ++i) ++visits[static_cast<std::size_t>(100 * outer + i)];
    });
  });
#if defined(_OPENMP)
  omp_set_max_active_levels(levels);
#endif
  CHECK(visits == std::vector<int>(400, 1));
  CHECK(stayed);
}

TEST_CASE("two user threads may both fork") {
  const Threads guard(2);
  std::vector<Index> sums(2);
  const auto work = [&](std::size_t who) {
    for (int repeat = 0; repeat < 200; ++repeat) {
      std::vector<Index> squares(64);
      parallel_for(64, 4, [&](Index begin, Index end) {
        for (Index i = begin; i < end; ++i) squares[static_cast<std::size_t>(i)] = i * i;
      });
      sums[who] += std::accumulate(squares.begin(), squares.end(), Index{0});
    }
  };
  std::thread other(work, 1);
  work(0);
  other.join();
  CHECK(sums == std::vector<Index>(2, 200 * 85344));
}

TEST_CASE("a sum over chunks has the same bits for any number of threads") {
  const auto harmonic = [](Index n) {
    return parallel_sum(n, 10, [](Index begin, Index end) {
      double part = 0;
      for (Index i = begin; i < end; ++i) part += 1 / static_cast<double>(i + 1);
      return part;
    });
  };
  for (Index n : {0, 1, 10, 105, 2560, 2561, 100000}) {
    double plain = 0;
    for (Index i = 0; i < n; ++i) plain += 1 / static_cast<double>(i + 1);
    const Threads one(1);
    const double expected = harmonic(n);
    CHECK(expected == Approx(plain).epsilon(1e-13));
    const Threads three(3);
    CHECK(harmonic(n) == expected);
  }
}

TEST_CASE("where other threads are late, small work is done without them, until they are tried again") {
  using Seconds = detail::ForkDelay::Seconds;
  detail::ForkDelay delay;
  CHECK(delay.allows(1));
  for (int i = 0; i < 1000; ++i) delay.shared(Seconds(2e-6), Seconds(1e-6));  // both shares one after the other
  CHECK(delay.allows(1));
  for (int i = 0; i < 1000; ++i) delay.shared(Seconds(5e-3), Seconds(4e-3));  // no delay, and no credit
  CHECK(delay.allows(1));
  delay.shared(Seconds(3e-3), Seconds(1e-6));
  CHECK_FALSE(delay.allows(10));
  CHECK(delay.allows(100));
  detail::ForkDelay of_long_work = delay;
  int short_ones = 0, long_ones = 0;
  for (; !delay.allows(10); ++short_ones) delay.alone(Seconds(30e-6));
  for (; !of_long_work.allows(10); ++long_ones) of_long_work.alone(Seconds(10e-3));
  CHECK(short_ones > 100);
  CHECK(short_ones < 10000);
  CHECK(long_ones < 20);
}

TEST_CASE("a loop does not wait again and again for threads that are late") {
  const Threads guard(2);
  detail::always_share = false;
  int waited = 0;
  std::thread with_empty_account([&] {
    const std::thread::id self = std::this_thread::get_id();
    for (int i = 0; i < 100; ++i) {
      std::atomic<bool> late = false;
      parallel_for(2, 1, [&](Index, Index) {
        if (std::this_thread::get_id() == self) return;
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
        late = true;
      });
      waited += late;
    }
  });
  with_empty_account.join();
  CHECK(waited < 10);
  CHECK((waited > 0 || detail::processors() == 1));
}

#if defined(__linux__) && TAPEGRAD_USE_OPENMP
TEST_CASE("a thread that is bound to one processor may be the first that asks how many there are") {
  int counted = 0;
  std::thread([&] {
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(sched_getcpu(), &one);
    if (sched_setaffinity(0, sizeof one, &one) == 0) counted = detail::processors();
  }).join();
  CHECK(counted == detail::processors_at_start);
}
#endif

TEST_CASE("a grain may be as large as it likes") {
  constexpr Index most = std::numeric_limits<Index>::max();
  Index visited = 0;
  parallel_for(10, most, [&](Index begin, Index end) { visited += end - begin; });
  parallel_for(0, most, [&](Index, Index) { visited = -1; });
  CHECK(visited == 10);
  CHECK(parallel_sum(10, most, [](Index begin, Index end) { return static_cast<double>(end - begin); }) == 10);
}

#if TAPEGRAD_USE_OPENMP
TEST_CASE("where nobody asked for a number of threads it is OpenMP's") {
  const int requested = detail::requested_threads.exchange(0), before = omp_get_max_threads();
  const int count = omp_get_num_procs() + 3;
  omp_set_num_threads(count);
  CHECK(num_threads() == count);
  omp_set_num_threads(before);
  detail::requested_threads = requested;
}
#endif

TEST_CASE("no threads at all is refused, and so are chunks of nothing") {
  CHECK_THROWS_WITH(parallel_for(1, 0, [](Index, Index) {}), "parallel_for: got a grain of 0; it must be positive");
  CHECK_THROWS_WITH(parallel_sum(0, 0, [](Index, Index) { return 1.0; }),
                    "parallel_sum: got a grain of 0; it must be positive");
  CHECK_THROWS_AS(parallel_sum(9, -5, [](Index, Index) { return 1.0; }), ValueError);
  CHECK_THROWS_WITH(set_num_threads(0), "set_num_threads: got 0; at least 1 thread is needed");
}

TEST_CASE("a sum has at most 256 chunks, and below 0 there is nothing") {
  for (Index n : {2560, 2561, 100000}) {
    std::atomic<int> chunks = 0;
    parallel_sum(n, 10, [&](Index, Index) { return ++chunks, 0.0; });
    CHECK(chunks <= 256);
  }
  int calls = 0;
  parallel_for(-5, 10, [&](Index, Index) { ++calls; });
  CHECK(parallel_sum(-5, 10, [&](Index, Index) { return ++calls, 1.0; }) == 0);
  CHECK(calls == 0);
}
