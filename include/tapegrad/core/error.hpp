#pragma once
// One line an error: what failed, what it got, the rule, and where (the module's path).

#include <charconv>
#include <cmath>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

#include "config.hpp"

namespace tapegrad::inline TAPEGRAD_ABI {

/// What every error of the library derives from. `what()` is one line.
class Error : public std::runtime_error {
 public:
  explicit Error(std::string message) : std::runtime_error(message), message_(std::move(message)) {}
  const char* what() const noexcept override { return message_.c_str(); }

  /// Begins with the op that it happened in, unless it does so already: "softsign: ...".
  void name_op(const std::string& op) {
    if (!message_.starts_with(op + ":")) message_.insert(0, op + ": ");
  }
  /// Adds where it happened, once: "... [encoder.fc1]". The innermost place wins.
  void locate(const std::string& place) {
    if (located_ || place.empty()) return;
    message_.append(" [").append(place).append("]");
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

/// Appends a number to a text with so many digits, whatever the locale. (A NaN's sign, which says nothing, is left
/// out.)
inline void append_number(std::string& text, double value, int digits,
                          std::chars_format format = std::chars_format::general) {
  if (std::isnan(value)) value = std::abs(value);
  char number[400];  // the longest without an exponent has 309 digits before the point
  text.append(number, std::to_chars(number, number + sizeof number, value, format, digits).ptr);
}

/// A piece of a message: text, a number, or what has a `str()`. It looks at its argument. (One type for all of them,
/// and no streams: messages are made in hundreds of places, and each of a kind of its own would cost compile time.)
class Part {
 public:
  Part(const char* text)
      : value_(text),
        append_([](std::string& message, const void* text_) { message += static_cast<const char*>(text_); }) {}
  template <class T>
  Part(const T& value) : value_(&value), append_(append_value<T>) {}

  void append_to(std::string& message) const { append_(message, value_); }

 private:
  template <class T>
  static void append_value(std::string& message, const void* address) {
    const T& value = *static_cast<const T*>(address);
    if constexpr (std::is_floating_point_v<T>) {
      append_number(message, value, 6);  // as streams do
    } else if constexpr (std::is_same_v<T, char>) {
      message += value;
    } else if constexpr (std::is_integral_v<T>) {
      message += std::to_string(value);
    } else if constexpr (requires { message += value; }) {
      message += value;
    } else {
      message += value.str();
    }
  }

  const void* value_;
  void (*append_)(std::string&, const void*);
};

/// Its parts one after another.
[[gnu::noinline]] inline std::string concat(std::initializer_list<Part> parts) {
  std::string message;
  for (const Part& part : parts) part.append_to(message);
  return message;
}
template <class... Parts>
std::string concat(const Parts&... parts) {
  return concat({Part(parts)...});
}

template <class E>
[[noreturn, gnu::cold, gnu::noinline]] void fail(std::initializer_list<Part> parts) {
  throw E(concat(parts));
}

/// Throws `E` with the concatenated parts unless `condition`; the message is built only then.
template <class E, class... Parts>
TAPEGRAD_INLINE void require(bool condition, const Parts&... parts) {
  if (!condition) [[unlikely]]
    fail<E>({Part(parts)...});
}

/// Things for one line: the first ten, and how many more there are.
class Listing {
 public:
  void add(const std::string& thing) {
    if (++count_ <= shown) text_ += (text_.empty() ? "" : ", ") + thing;
  }
  bool empty() const { return count_ == 0; }
  std::string str() const { return count_ <= shown ? text_ : concat(text_, " and ", count_ - shown, " more"); }

 private:
  static constexpr std::size_t shown = 10;
  std::size_t count_ = 0;
  std::string text_;
};

/// Those that are not empty, each behind its heading: "not in the file: a, b; shapes differ: c".
inline std::string joined(std::initializer_list<std::pair<std::string, const Listing*>> listings) {
  std::string all;
  for (const auto& [heading, listing] : listings)
    if (!listing->empty()) all += concat(all.empty() ? "" : "; ", heading, *listing);
  return all;
}

}  // namespace detail
}  // namespace tapegrad::inline TAPEGRAD_ABI
