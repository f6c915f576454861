#pragma once

#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <string>

namespace examples {

/// How far an epoch is: a bar with images/s and time left on a terminal, nothing elsewhere.
class Progress {
 public:
  Progress(std::string title, int total, bool quiet)
      : title_(std::move(title)), total_(total), shown_(!quiet && isatty(STDOUT_FILENO) == 1) {}
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  /// Leaves an empty line for what comes next.
  ~Progress() {
    if (shown_) std::fputs("\r\033[K", stdout);
  }

  void add(int images) {
    done_ += images;
    const auto now = Clock::now();
    if (!shown_ || now < next_) return;
    next_ = now + std::chrono::milliseconds(100);
    const double seconds = std::chrono::duration<double>(now - start_).count();
    const double rate = done_ / seconds;
    const int filled = done_ * width / total_;
    std::printf("\r\033[K%s [%s%s] %3d %%  %.0f images/s  %.0f s left", title_.c_str(),
                std::string(static_cast<std::size_t>(filled), '#').c_str(),
                std::string(static_cast<std::size_t>(width - filled), '.').c_str(), 100 * done_ / total_, rate,
                (total_ - done_) / rate);
    std::fflush(stdout);
  }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr int width = 24;

  std::string title_;
  int total_;
  bool shown_;
  int done_ = 0;
  Clock::time_point start_ = Clock::now();
  Clock::time_point next_ = start_ + std::chrono::milliseconds(200);
};

}  // namespace examples
