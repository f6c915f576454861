#pragma once

#include <chrono>
#include <string>
#include <utility>

namespace examples {

/// How fast training goes; evaluation between epochs does not count.
class Pace {
 public:
  /// Measures from here to the first `step`, and from each to the next.
  void start() { started_ = Clock::now(); }
  /// A step has been made on `images` images.
  void step(int images) {
    const auto now = Clock::now();
    seconds_ += std::chrono::duration<double>(now - std::exchange(started_, now)).count();
    ++steps_;
    images_ += images;
  }

  int steps() const { return steps_; }
  double seconds_per_step() const { return seconds_ / steps_; }
  double images_per_second() const { return images_ / seconds_; }

  /// Its part of an io::Checkpoint.
  template <class Checkpoint>
  void add_to(Checkpoint& state, const std::string& name) {
    state.add(name + ".seconds", seconds_).add(name + ".steps", steps_).add(name + ".images", images_);
  }

 private:
  using Clock = std::chrono::steady_clock;

  Clock::time_point started_;
  double seconds_ = 0;
  int steps_ = 0;
  double images_ = 0;
};

}  // namespace examples
