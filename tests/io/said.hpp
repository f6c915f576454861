#pragma once

#include "catch.hpp"
#include "tapegrad/core/error.hpp"
#include "temporary.hpp"

/// What the IoError says that `call` throws.
template <class Call>
std::string said_by(const Call& call) {
  try {
    call();
  } catch (const tapegrad::IoError& error) {
    return error.what();
  }
  return "no error";
}

/// What is said of a file with these bytes that `read(path)` reads: one line, here without the file's name.
template <class Read>
std::string said_of(const std::string& bytes, const Read& read) {
  const TemporaryDirectory dir;
  const std::filesystem::path path = write_bytes(dir / "x", bytes);
  const std::string text = said_by([&] { read(path); }), start = path.string() + ": ";
  if (text == "no error") return text;
  CHECK(text.starts_with(start));
  CHECK(text.find('\n') == std::string::npos);
  return text.substr(start.size());
}
