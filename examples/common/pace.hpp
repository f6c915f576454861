#pragma once

#include <chrono>
#include <nlohmann/json.hpp>

namespace examples {

/// How fast training goes; evaluation between epochs does not count.
class Pace {
 public:
  /// Measures the time from here to `trained`.
  void start() { started_ = Clock::now(); }
  void trained(double steps, int images) {
    seconds_ += std::chrono::duration<double>(Clock::now() - started_).count();
    steps_ += steps;
    images_ += images;
  }

  double ms_per_step() const { return 1e3 * seconds_ / steps_; }
  double images_per_second() const { return images_ / seconds_; }

 private:
  using Clock = std::chrono::steady_clock;

  Clock::time_point started_;
  double seconds_ = 0;
  double steps_ = 0;
  double images_ = 0;
};

}  // namespace examples
