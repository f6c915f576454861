#pragma once
// The one place where threads are forked. Work is cut into chunks whose bounds depend on the size of the work alone,
// so what a chunk computes, to the bit, does not depend on the number of threads.

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <exception>
#include <mutex>

#include "error.hpp"
#include "function_ref.hpp"

#if TAPEGRAD_USE_OPENMP
#include <omp.h>
#endif

namespace tapegrad::inline TAPEGRAD_ABI {

namespace detail {
// One for the whole program, also where shared libraries hide what they do not export. 0: as OpenMP says.
[[gnu::visibility("default")]] inline std::atomic<int> requested_threads{0};
#if TAPEGRAD_USE_OPENMP
// Asked when the program starts: a thread that is bound to one processor would be told of that one.
inline const int processors_at_start = omp_get_num_procs();
#endif
}  // namespace detail

/// The number of threads that large operations use: what `set_num_threads` asked for, else what OMP_NUM_THREADS or the
/// machine gives; 1 without OpenMP.
inline int num_threads() {
#if TAPEGRAD_USE_OPENMP
  const int requested = detail::requested_threads.load(std::memory_order_relaxed);
  return requested > 0 ? requested : omp_get_max_threads();
#else
  return 1;
#endif
}

/// Asks for `count` threads from now on, in the whole program; without OpenMP it stays at 1. The results do not depend
/// on it. More than there are processors cost little: each processor does the work of several. Throws ValueError
/// below 1.
inline void set_num_threads(int count) {
  detail::require<ValueError>(count >= 1, "set_num_threads: got ", count, "; at least 1 thread is needed");
  detail::requested_threads.store(count, std::memory_order_relaxed);
}

namespace detail {

/// How many elements an elementwise loop hands to a thread at a time: 64 KB of floats, some 5 us of work.
inline constexpr Index chunk_size = 16384;
/// The same where an element takes long: exp and what is made of it, noise, pixels, an optimizer's moments.
inline constexpr Index costly_chunk_size = 4096;

/// How many threads can work at the same time; 1 before main().
inline int processors() {
#if TAPEGRAD_USE_OPENMP
  return std::max(1, processors_at_start);
#else
  return 1;
#endif
}

inline bool inside_parallel() {
#if TAPEGRAD_USE_OPENMP
  return omp_in_parallel() != 0;
#else
  return false;
#endif
}

/// For tests and benchmarks: share all work, however late the other threads are.
inline std::atomic<bool> always_share{false};

/// What sharing work has cost lately beyond the work. Where programs are more than processors, a thread that has its
/// share to do waits for a processor first: milliseconds, where all of the work takes microseconds. So each thread of
/// the user's keeps this account, and does alone what takes less time than the others would be late.
class ForkDelay {
 public:
  using Clock = std::chrono::steady_clock;
  using Seconds = std::chrono::duration<double>;

  /// Whether so many pieces of work, of some microseconds each, are worth sharing.
  bool allows(Index pieces) const {
    return mean_ <= static_cast<double>(pieces) * piece || always_share.load(std::memory_order_relaxed);
  }
  /// Shared work took `all`, the own share of it `own`. Up to twice as long is no delay, but an uneven cut.
  void shared(Seconds all, Seconds own) { mean_ += (std::max(Seconds(0), all - 2 * own) - mean_) / 32; }
  /// Work that was not shared took `all`: the longer that lasts, the sooner the others are tried again.
  void alone(Seconds all) { mean_ -= std::min(1.0, all / patience) * mean_; }

 private:
  static constexpr Seconds piece{3e-6};
  static constexpr Seconds patience{0.1};
  Seconds mean_{0};  // of all delays, the latest most of all
};

/// How many threads to fork for so many shares of work, at most `most`: as many as the calling thread has forked
/// before, if that is more. For OpenMP's runtimes end the threads that a smaller team does not need, and start them
/// again for the next larger one, which takes longer than many an op.
inline int team_size(int shares, int most) {
  static thread_local int largest = 1;
  largest = std::min(std::max(largest, shares), most);
  return largest;
}

/// Calls body(thread, threads) for each of `threads` shares of the work, all of which may run at the same time, and
/// throws the exception of the lowest one that failed. `pieces` is how much work there is, in units of some
/// microseconds. It is body(0, 1) inside of another call, as it never nests, and while sharing would take longer.
inline void parallel_region(int threads, [[maybe_unused]] Index pieces, FunctionRef<void(int, int)> body) {
  // Decided before the pragma: `omp parallel if(false)` alone costs three times a tiny op.
  if (threads <= 1 || inside_parallel()) return body(0, 1);
#if TAPEGRAD_USE_OPENMP
  thread_local ForkDelay delay;
  const auto begin = ForkDelay::Clock::now();
  if (!delay.allows(pieces)) {
    body(0, 1);
    delay.alone(ForkDelay::Clock::now() - begin);
    return;
  }
  auto own_begin = begin, own_end = begin;
  std::exception_ptr failure;
  int failed_share = threads;
  std::mutex guard;
  // More threads than processors would wait for each other at the end of every loop, asleep most of the time.
#pragma omp parallel num_threads(team_size(threads, std::min(num_threads(), processors())))
  {
    if (omp_get_thread_num() == 0) own_begin = ForkDelay::Clock::now();
    for (int share = omp_get_thread_num(); share < threads; share += omp_get_num_threads()) {
      try {
        body(share, threads);
      } catch (...) {
        const std::lock_guard lock(guard);
        if (share < failed_share) {
          failed_share = share;
          failure = std::current_exception();
        }
      }
    }
    if (omp_get_thread_num() == 0) own_end = ForkDelay::Clock::now();
  }
  delay.shared(ForkDelay::Clock::now() - begin, own_end - own_begin);
  if (failure) std::rethrow_exception(failure);
#else
  body(0, 1);
#endif
}

}  // namespace detail

/// Calls body(begin, end) for every chunk [i * grain, min((i + 1) * grain, n)), possibly on several threads, each
/// taking a run of neighbouring chunks. The first exception, in the order of the chunks, is thrown again after all have
/// ended. Throws ValueError unless the grain is positive.
inline void parallel_for(Index n, Index grain, detail::FunctionRef<void(Index, Index)> body) {
  detail::require<ValueError>(grain > 0, "parallel_for: got a grain of ", grain, "; it must be positive");
  const Index chunks = n > 0 ? 1 + (n - 1) / grain : 0;
  const auto run = [&](Index first, Index last) {
    for (Index chunk = first; chunk < last; ++chunk) body(chunk * grain, chunk + 1 < chunks ? (chunk + 1) * grain : n);
  };
  if (chunks <= 1) return run(0, chunks);
  detail::parallel_region(
      static_cast<int>(std::min<Index>(num_threads(), chunks)), chunks,
      [&](int thread, int threads) { run(chunks * thread / threads, chunks * (thread + 1) / threads); });
}

/// The sum of body(begin, end), a double, over chunks that cover 0 .. n - 1, added up in their order: the same bits for
/// any number of threads. Chunks are at least `grain` long, and more where there would be over 256 of them. Throws
/// ValueError unless the grain is positive.
inline double parallel_sum(Index n, Index grain, detail::FunctionRef<double(Index, Index)> body) {
  detail::require<ValueError>(grain > 0, "parallel_sum: got a grain of ", grain, "; it must be positive");
  if (n <= 0) return 0;
  constexpr Index most = 256;
  std::array<double, most> parts;
  grain = std::max(grain, (n + most - 1) / most);
  parallel_for(n, grain,
               [&](Index begin, Index end) { parts[static_cast<std::size_t>(begin / grain)] = body(begin, end); });
  double total = 0;
  for (Index chunk = 0; chunk <= (n - 1) / grain; ++chunk) total += parts[static_cast<std::size_t>(chunk)];
  return total;
}

}  // namespace tapegrad::inline TAPEGRAD_ABI
