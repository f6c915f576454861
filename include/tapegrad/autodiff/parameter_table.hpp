#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "../core/config.hpp"

namespace tapegrad::inline TAPEGRAD_ABI {

class Parameter;

namespace detail {

/// Where on the tape each parameter's node is. A pass that asks for the parameters of the last one allocates nothing.
class ParameterTable {
 public:
  /// What stands for a parameter that has no node yet.
  static constexpr std::uint32_t none = ~std::uint32_t{0};

  /// Forgets all parameters, keeps the memory.
  void clear() {
    count_ = 0;
    if (++pass_ == 0) {  // after 2^32 passes: no entry may look like one of this pass
      std::ranges::fill(entries_, Entry{});
      pass_ = 1;
    }
  }

  /// How many there are.
  std::size_t size() const { return count_; }

  /// The parameter's place, to read and to set; it stays there until the next call.
  std::uint32_t& operator[](const Parameter& parameter) {
    if (2 * (count_ + 1) > entries_.size()) grow();
    Entry& entry = find(&parameter);
    if (entry.pass != pass_) {
      entry = {&parameter, none, pass_};
      ++count_;
    }
    return entry.index;
  }

 private:
  struct Entry {
    const Parameter* parameter = nullptr;
    std::uint32_t index = none;
    std::uint32_t pass = 0;  // those of an earlier pass count as free
  };

  /// The parameter's entry, or the free one that is to become it.
  Entry& find(const Parameter* parameter) {
    const std::size_t mask = entries_.size() - 1;
    std::size_t slot = (reinterpret_cast<std::uintptr_t>(parameter) >> 6) & mask;
    while (entries_[slot].pass == pass_ && entries_[slot].parameter != parameter) slot = (slot + 1) & mask;
    return entries_[slot];
  }
  void grow() {
    const auto before = std::exchange(entries_, std::vector<Entry>(std::max<std::size_t>(64, 2 * entries_.size())));
    for (const Entry& entry : before)
      if (entry.pass == pass_) find(entry.parameter) = entry;
  }

  std::vector<Entry> entries_;  // open addressing; the size is a power of two
  std::size_t count_ = 0;       // of this pass
  std::uint32_t pass_ = 1;
};

}  // namespace detail
}  // namespace tapegrad::inline TAPEGRAD_ABI
