#pragma once

#include <utility>

#include "config.hpp"

namespace tapegrad::inline TAPEGRAD_ABI::detail {

/// Sets a variable while it lives; then the variable has its value again, whatever was thrown.
template <class T>
class SetWhile {
 public:
  SetWhile(T& variable, T value) : variable_(variable), before_(std::exchange(variable, value)) {}
  SetWhile(const SetWhile&) = delete;
  SetWhile& operator=(const SetWhile&) = delete;
  ~SetWhile() { variable_ = before_; }

 private:
  T& variable_;
  T before_;
};

}  // namespace tapegrad::inline TAPEGRAD_ABI::detail
