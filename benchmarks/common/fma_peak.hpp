#pragma once
// What the machine can do at most: a loop of fused multiply-adds that wait for nothing.

#include <algorithm>
#include <array>
#include <chrono>
#include <tapegrad/core/parallel.hpp>
#include <tapegrad/core/simd/vec.hpp>

namespace bench {

namespace tg = tapegrad;

/// Twelve sums hide the latency of an FMA (4 cycles on each of 2 ports), and fit the 16 registers of AVX2. Four of each
/// in a turn of the loop, as counting it takes one of the ports.
struct FmaLoop {
  static constexpr int sums = 12, each = 4;

  /// sums * each * lanes * turns of them. The factors, 2 * lanes numbers, come from memory, so that the compiler cannot
  /// multiply beforehand; the result is there so that it has to compute at all.
  template <int lanes>
  static TAPEGRAD_INLINE tg::Scalar run(const tg::Scalar* factors, tg::Index turns) {
    using V = tg::simd::Vec<tg::Scalar, lanes>;
    const V one = V::all(1);
    const V factor[2] = {V::load(factors), V::load(factors + lanes)};
    V sum[sums];
    TAPEGRAD_UNROLL
    for (int i = 0; i < sums; ++i) sum[i] = V::zero();
    for (tg::Index turn = 0; turn < turns; ++turn) {
      TAPEGRAD_UNROLL
      for (int i = 0; i < each; ++i) {
        TAPEGRAD_UNROLL
        for (int j = 0; j < sums; ++j) sum[j] = fma(one, factor[i % 2], sum[j]);
      }
    }
    for (int i = 1; i < sums; ++i) sum[0] = sum[0] + sum[i];
    tg::Scalar result[lanes];
    sum[0].store(result);
    return result[0];
  }
};

/// The GFLOPS that `threads` threads, or as many as there are processors, do together with the instruction set in use,
/// from the first one's start to the last one's end: the best of some loops of half a millisecond. The clock follows
/// what else the machine does, so ask right beside what is to be compared.
inline double fma_peak(int threads) {
  using Clock = std::chrono::steady_clock;
  constexpr int most_lanes = 16, most_threads = 256;
  constexpr tg::Index turns = 1 << 16;
  threads = std::min({threads, tg::detail::processors(), most_threads});
  const int lanes = tg::simd::isa() == tg::Isa::avx512 ? 16 : tg::simd::isa() == tg::Isa::avx2 ? 8 : 4;
  tg::Scalar factors[2 * most_lanes];
  for (int i = 0; i < 2 * lanes; ++i) factors[i] = tg::Scalar(i < lanes ? 1 : -1);
  const double operations = 2.0 * FmaLoop::sums * FmaLoop::each * lanes * turns * threads;
  double best = 0;
  const bool shared_all = tg::detail::always_share.exchange(true);
  for (int attempt = 0; attempt < 20; ++attempt) {
    std::array<Clock::time_point, most_threads> begins, ends;
    tg::detail::parallel_region(threads, 1000, [&](int thread, int) {
      const auto i = static_cast<std::size_t>(thread);
      begins[i] = Clock::now();
      [[maybe_unused]] const volatile tg::Scalar sink =
          tg::simd::run<FmaLoop>(static_cast<const tg::Scalar*>(factors), turns);
      ends[i] = Clock::now();
    });
    const std::chrono::duration<double> elapsed = *std::max_element(ends.begin(), ends.begin() + threads) -
                                                  *std::min_element(begins.begin(), begins.begin() + threads);
    best = std::max(best, 1e-9 * operations / elapsed.count());
  }
  tg::detail::always_share = shared_all;
  return best;
}

}  // namespace bench
