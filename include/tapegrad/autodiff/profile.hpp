#pragma once
// How long each op takes.

#include <algorithm>
#include <chrono>
#include <string_view>
#include <vector>

#include "../core/config.hpp"

namespace tapegrad::inline TAPEGRAD_ABI {

/// Time spent in all calls of one op, as `Tape::profile()` reports it.
struct OpProfile {
  const char* name = "";
  Index calls = 0;  ///< forward
  double forward_seconds = 0;
  double backward_seconds = 0;
};

namespace detail {

struct Profiler {
  bool on = false;
  std::vector<OpProfile> ops;  // in the order of first use
};

/// Adds the time it lives to a field of an op's entry, if there is profiling.
class Stopwatch {
 public:
  Stopwatch(Profiler& profiler, const char* op, double OpProfile::*seconds, Index calls)
      : profiler_(profiler.on ? &profiler : nullptr), op_(op), seconds_(seconds), calls_(calls) {
    if (profiler_) [[unlikely]]
      start();
  }
  Stopwatch(const Stopwatch&) = delete;
  Stopwatch& operator=(const Stopwatch&) = delete;
  ~Stopwatch() {
    if (profiler_) [[unlikely]]
      stop();
  }

 private:
  [[gnu::noinline]] void start() {
    if (find() == profiler_->ops.end()) profiler_->ops.push_back(OpProfile{.name = op_});
    start_ = std::chrono::steady_clock::now();
  }
  [[gnu::noinline]] void stop() const {
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start_;
    const auto entry = find();
    if (entry == profiler_->ops.end()) return;  // profiling began afresh meanwhile
    (*entry).*seconds_ += elapsed.count();
    entry->calls += calls_;
  }

  std::vector<OpProfile>::iterator find() const {
    return std::find_if(profiler_->ops.begin(), profiler_->ops.end(),
                        [this](const OpProfile& entry) { return std::string_view(entry.name) == op_; });
  }

  Profiler* profiler_;
  const char* op_;
  double OpProfile::*seconds_;
  Index calls_;
  std::chrono::steady_clock::time_point start_{};
};

}  // namespace detail
}  // namespace tapegrad::inline TAPEGRAD_ABI
