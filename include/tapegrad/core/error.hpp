#pragma once
// One line an error: what failed, what it got, the rule, and where (the module's path).

#include <exception>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>

#include "config.hpp"

namespace tapegrad::inline TAPEGRAD_ABI {

/// What every error of the library derives from. `what()` is one line.
class Error : public std::runtime_error {
 public:
  explicit Error(std::string message) : std::runtime_error(message), message_(std::move(message)) {}
  const char* what() const noexcept override { return message_.c_str(); }

  /// Adds where it happened, once: "... [encoder.fc1]". The innermost place wins.
  void locate(const std::string& place) {
    if (located_ || place.empty()) return;
    message_ += " [" + place + "]";
    located_ = true;
  }

 private:
  std::string message_;
  bool located_ = false;
};

/// Shapes that do not fit together.
class ShapeError : public Error {
  using Error::Error;
};
/// A number or an option that cannot be right.
class ValueError : public Error {
  using Error::Error;
};
/// A tape or a Var used against its rules: stale, of another tape, without a gradient.
class TapeError : public Error {
  using Error::Error;
};
/// A NaN or an infinity that came out of finite numbers (Tape::detect_anomaly).
class AnomalyError : public Error {
  using Error::Error;
};
/// A file that is missing, damaged or not what it should be.
class IoError : public Error {
  using Error::Error;
};

namespace detail {

/// Streams its arguments one after another into a string.
template <class... Parts>
std::string concat(const Parts&... parts) {
  std::ostringstream out;
  out.exceptions(std::ios::badbit);  // else a stream keeps bad_alloc to itself, and gives half a text
  (out << ... << parts);
  return out.str();
}

/// Throws `E` with the concatenated parts unless `condition`; the message is built only then.
template <class E, class... Parts>
void require(bool condition, const Parts&... parts) {
  if (!condition) [[unlikely]]
    throw E(concat(parts...));
}

}  // namespace detail
}  // namespace tapegrad::inline TAPEGRAD_ABI
