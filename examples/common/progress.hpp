#pragma once

#include <sys/ioctl.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <string>
#include <utility>

namespace examples {

/// How far an epoch is: a bar with images/s and time left on a terminal, nothing elsewhere.
class Progress {
 public:
  /// `before`: of the epoch's images, what a run that was stopped had done.
  Progress(int epoch, int images, bool quiet, int before = 0)
      : epoch_(epoch), total_(images), shown_(!quiet && isatty(STDOUT_FILENO) == 1), before_(before), done_(before) {}
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  /// Leaves an empty line for what comes next.
  ~Progress() {
    if (!shown_) return;
    std::fputs("\r\033[K", stdout);
    std::fflush(stdout);  // before an error says why it ended
  }

  void add(int images) {
    done_ += images;
    const auto now = Clock::now();
    if (!shown_ || now < next_) return;
    next_ = now + std::chrono::milliseconds(100);
    const double seconds = std::chrono::duration<double>(now - start_).count();
    const double rate = (done_ - before_) / seconds;
    const int filled = done_ * width / total_;
    char line[160];
    std::snprintf(line, sizeof line, "epoch %d [%s%s] %3d %%  %.0f images/s  %.0f s left", epoch_,
                  std::string(static_cast<std::size_t>(filled), '#').c_str(),
                  std::string(static_cast<std::size_t>(width - filled), '.').c_str(), 100 * done_ / total_, rate,
                  (total_ - done_) / rate);
    std::printf("\r\033[K%.*s", terminal_columns() - 1, line);
    std::fflush(stdout);
  }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr int width = 24;

  /// As many as a line can have: what is longer would go on in the next, and stay there.
  static int terminal_columns() {
    winsize size{};
    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
  }

  int epoch_;
  int total_;
  bool shown_;
  int before_;
  int done_;
  Clock::time_point start_ = Clock::now();
  Clock::time_point next_ = start_ + std::chrono::milliseconds(200);
};

/// How many images of its epoch a loop over batches of that size has had, where a run goes on.
template <class Batches>
int images_had(const Batches& batches, int size) {
  return static_cast<int>(batches.state().next % batches.count()) * size;
}

/// For work that takes hours: says once, when it has run for a few seconds, how long all of it will take.
class Projection {
 public:
  Projection(std::string what, double total, bool quiet) : what_(std::move(what)), total_(total), said_(quiet) {}

  /// `done` of the total since it was made.
  void at(double done) {
    const double seconds = std::chrono::duration<double>(Clock::now() - start_).count();
    if (said_ || seconds < 3) return;
    said_ = true;
    const double minutes = total_ * seconds / done / 60;
    if (isatty(STDOUT_FILENO) == 1) std::fputs("\r\033[K", stdout);  // where a bar may stand
    std::printf("%s: %.2f ms each, %.0f of them: about %s\n", what_.c_str(), 1e3 * seconds / done, total_,
                duration(minutes).c_str());
    std::fflush(stdout);
  }

  /// "12 min", "3 h 05 min".
  static std::string duration(double minutes) {
    const auto whole = static_cast<long>(std::lround(minutes));
    char text[64];
    if (whole < 60) {
      std::snprintf(text, sizeof text, "%ld min", whole);
    } else {
      std::snprintf(text, sizeof text, "%ld h %02ld min", whole / 60, whole % 60);
    }
    return text;
  }

 private:
  using Clock = std::chrono::steady_clock;

  std::string what_;
  double total_;
  bool said_;
  Clock::time_point start_ = Clock::now();
};

}  // namespace examples
