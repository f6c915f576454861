#pragma once

#include <tapegrad/core/parallel.hpp>

/// A number of threads, for a while, which share all work even where the machine is busy.
class Threads {
 public:
  explicit Threads(int count) : before_(tapegrad::num_threads()) {
    tapegrad::set_num_threads(count);
    tapegrad::detail::always_share = true;
  }
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;
  ~Threads() {
    tapegrad::set_num_threads(before_);
    tapegrad::detail::always_share = before_always_;
  }

 private:
  int before_;
  bool before_always_ = tapegrad::detail::always_share;
};
