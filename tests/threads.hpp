#pragma once

#include <tapegrad/core/parallel.hpp>

/// A number of threads, for a while.
class Threads {
 public:
  explicit Threads(int count) : before_(tapegrad::num_threads()) { tapegrad::set_num_threads(count); }
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;
  ~Threads() { tapegrad::set_num_threads(before_); }

 private:
  int before_;
};
