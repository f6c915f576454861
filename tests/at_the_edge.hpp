#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include "catch.hpp"
#include "tapegrad/core/config.hpp"

/// Numbers, zeros at first, that end where memory does: who reads or writes one more crashes.
template <class T>
class AtTheEdge {
 public:
  explicit AtTheEdge(tapegrad::Index count) {
    const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    const std::size_t bytes = static_cast<std::size_t>(count) * sizeof(T), whole = (bytes + page - 1) / page * page;
    size_ = whole + page;
    void* const memory = mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    REQUIRE(memory != MAP_FAILED);
    memory_ = static_cast<char*>(memory);
    REQUIRE(mprotect(memory_ + whole, page, PROT_NONE) == 0);
    numbers_ = reinterpret_cast<T*>(memory_ + whole - bytes);
  }
  AtTheEdge(const AtTheEdge&) = delete;
  AtTheEdge& operator=(const AtTheEdge&) = delete;
  ~AtTheEdge() { munmap(memory_, size_); }

  T* data() const { return numbers_; }

 private:
  char* memory_;
  std::size_t size_;
  T* numbers_;
};
