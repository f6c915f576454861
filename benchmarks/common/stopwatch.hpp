#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <vector>

namespace bench {

class Stopwatch {
 public:
  /// Seconds since it was made.
  double seconds() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point start_ = Clock::now();
};

inline double median(std::vector<double> numbers) {
  const auto middle = numbers.begin() + static_cast<std::ptrdiff_t>(numbers.size() / 2);
  std::nth_element(numbers.begin(), middle, numbers.end());
  return numbers.size() % 2 == 1 ? *middle : (*middle + *std::max_element(numbers.begin(), middle)) / 2;
}

/// The median time of a call, in ms, of as many calls as begin within `seconds`.
template <class Call>
double median_ms(double seconds, const Call& call) {
  std::vector<double> times;
  const Stopwatch all;
  do {
    const Stopwatch one;
    call();
    times.push_back(1e3 * one.seconds());
  } while (all.seconds() < seconds);
  return median(times);
}

}  // namespace bench
