#pragma once
// Whole files: read into memory, and written so that a reader sees the old file or the new one, never half of it.

#include <cstddef>
#include <filesystem>
#include <utility>
#include <vector>

#include "../core/error.hpp"

namespace tapegrad::inline TAPEGRAD_ABI::io {

/// Where a file is; a text converts to it.
using Path = std::filesystem::path;

namespace detail {

/// An open file, closed at the end.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(other.release()) {}
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() { close(); }

  int number() const { return number_; }
  bool is_open() const { return number_ >= 0; }
  /// Only the first call does something. False if what was written may be lost.
  bool close();
  /// Leaves it to the caller to close it.
  int release() { return std::exchange(number_, -1); }

 private:
  int number_;
};

}  // namespace detail

/// All bytes of a file. Throws IoError if it is not there, cannot be read, or is no regular file.
std::vector<std::byte> read_file(const Path& path);

/// A file being written as PATH.tmp, beside the one that it will replace. `commit()` puts it in its place in one step;
/// without that, what was there stays, and nothing is left behind. What a killed writer leaves the next one overwrites.
class AtomicFile {
 public:
  /// Throws IoError if the directory cannot be written, if `path` is there and is no regular file, or if somebody else
  /// is writing it. Through a symbolic link, the file that it points to is made or replaced.
  explicit AtomicFile(const Path& path);
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  ~AtomicFile();

  /// Appends. Throws IoError, as where the disk is full, and after commit().
  void write(const void* data, std::size_t size);
  /// Waits until the disk has it, and renames it. Throws IoError where either fails, and the second time.
  void commit();

 private:
  static Path resolved(const Path& path);
  /// Opens the temporary file and locks it, so that no other writer takes it for one that was left behind.
  int open_temporary() const;
  void require_open() const;
  void check(bool done) const;

  Path path_;       // as the user calls it
  Path target_;     // what is replaced
  Path temporary_;  // empty once it has its place
  detail::Descriptor file_;
  detail::Descriptor lock_;  // the same file: the lock must outlive file_, which is closed before it gets its place
};

}  // namespace tapegrad::inline TAPEGRAD_ABI::io

#ifndef TAPEGRAD_COMPILED
#include "bodies/file.hpp"
#endif
