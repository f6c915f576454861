#pragma once
// Whole files: read into memory, and written so that a reader sees the old file or the new one, never half of it.

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bit>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <span>
#include <system_error>
#include <vector>

#include "../core/tensor.hpp"

namespace tapegrad::inline TAPEGRAD_ABI::io {

static_assert(std::endian::native == std::endian::little,
              "tapegrad: its files are little-endian, as the machine must be");

using Path = std::filesystem::path;

namespace detail {

using tapegrad::detail::concat;
using tapegrad::detail::Part;
using tapegrad::detail::require;

[[noreturn, gnu::cold, gnu::noinline]] inline void fail_file(const Path& path, std::initializer_list<Part> parts) {
  throw IoError(concat(path.string(), ": ", concat(parts)));
}
/// Throws an IoError that begins with the file's name, unless `condition`.
template <class... Parts>
TAPEGRAD_INLINE void require_file(bool condition, const Path& path, const Parts&... parts) {
  if (!condition) [[unlikely]]
    fail_file(path, {Part(parts)...});
}

/// The system's words for errno.
struct SystemError {
  int code = errno;
  std::string str() const { return std::generic_category().message(code); }
};

/// Numbers of type From, wherever they lie, as Scalars.
template <class From>
void convert(const std::byte* from, TensorView to) {
  for (Index i = 0; i < to.size(); ++i) {
    From number;
    std::memcpy(&number, from + i * static_cast<Index>(sizeof(From)), sizeof(From));
    to.data()[i] = static_cast<Scalar>(number);
  }
}

/// An open file, closed at the end.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { close(); }

  int number() const { return number_; }
  bool is_open() const { return number_ >= 0; }
  /// Only the first call does something. False if what was written may be lost.
  bool close() { return !is_open() || ::close(release()) == 0; }
  /// Leaves it to the caller to close it.
  int release() { return std::exchange(number_, -1); }

 private:
  int number_;
};

}  // namespace detail

/// All bytes of a file. Throws IoError if it is not there, cannot be read, or is no regular file.
inline std::vector<std::byte> read_file(const Path& path) {
  const detail::Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  detail::require_file(file.is_open(), path, "cannot be opened: ", detail::SystemError());
  struct stat status {};
  detail::require_file(::fstat(file.number(), &status) == 0, path, "cannot be read: ", detail::SystemError());
  detail::require_file(S_ISREG(status.st_mode), path, "is a directory or a device; a file is needed");

  std::vector<std::byte> bytes(static_cast<std::size_t>(status.st_size));
  for (std::size_t done = 0; done < bytes.size();) {
    const auto count = ::read(file.number(), bytes.data() + done, bytes.size() - done);
    if (count < 0 && errno == EINTR) continue;
    detail::require_file(count >= 0, path, "cannot be read: ", detail::SystemError());
    detail::require_file(count > 0, path, "became shorter while it was read (", done, " of ", bytes.size(), " bytes)");
    done += static_cast<std::size_t>(count);
  }
  return bytes;
}

/// A file being written as PATH.tmp, beside the one that it will replace. `commit()` puts it in its place in one step;
/// without that, what was there stays, and nothing is left behind. What a killed writer leaves the next one overwrites.
class AtomicFile {
 public:
  /// Throws IoError if the directory cannot be written, if `path` is there and is no regular file, or if somebody else
  /// is writing it. Through a symbolic link, the file that it points to is replaced.
  explicit AtomicFile(const Path& path)
      : path_(path),
        target_(resolved(path)),
        temporary_(Path(target_) += ".tmp"),
        file_(open_temporary()),
        lock_(::dup(file_.number())) {
    struct stat status {};
    if (::stat(target_.c_str(), &status) == 0) ::fchmod(file_.number(), status.st_mode & 07777);
  }
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  ~AtomicFile() {
    if (!temporary_.empty()) ::unlink(temporary_.c_str());
  }

  /// Appends. Throws IoError, as where the disk is full.
  void write(const void* data, std::size_t size) {
    const auto* bytes = static_cast<const std::byte*>(data);
    while (size > 0) {
      const auto count = ::write(file_.number(), bytes, size);
      if (count < 0 && errno == EINTR) continue;
      check(count >= 0);
      bytes += count;
      size -= static_cast<std::size_t>(count);
    }
  }

  /// Waits until the disk has it, and renames it.
  void commit() {
    check(::fsync(file_.number()) == 0);
    check(file_.close());
    check(::rename(temporary_.c_str(), target_.c_str()) == 0);
    temporary_.clear();
    // The rename itself survives a power cut once the directory is on disk; not every file system can be asked.
    const Path parent = target_.has_parent_path() ? target_.parent_path() : Path(".");
    const detail::Descriptor directory(::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (directory.is_open()) ::fsync(directory.number());
  }

 private:
  static Path resolved(const Path& path) {
    std::error_code error;
    const auto status = std::filesystem::status(path, error);
    detail::require_file(!exists(status) || is_regular_file(status), path,
                         "is a directory or a device; only a file can be replaced");
    return is_symlink(std::filesystem::symlink_status(path, error)) ? std::filesystem::weakly_canonical(path) : path;
  }

  /// Opens the temporary file and locks it, so that no other writer takes it for one that was left behind.
  int open_temporary() const {
    while (true) {
      detail::Descriptor file(::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666));
      detail::require_file(file.is_open(), path_, "cannot be written: ", detail::SystemError(), " (",
                           temporary_.string(), "); the directory must be there and be writable");
      // Not every file system knows locks; there it goes without.
      detail::require_file(::flock(file.number(), LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK, path_,
                           "is being written by another thread or program (", temporary_.string(), ")");
      struct stat opened {};
      struct stat there {};
      check(::fstat(file.number(), &opened) == 0);
      detail::require_file(opened.st_nlink <= 1, path_, "cannot be written: ", temporary_.string(),
                           " is there, and is another file too");
      // Not the same if its writer came to an end between the two calls.
      if (::lstat(temporary_.c_str(), &there) != 0 || there.st_ino != opened.st_ino) continue;
      check(::ftruncate(file.number(), 0) == 0);
      return file.release();
    }
  }

  void check(bool done) const {
    detail::require_file(done, path_, "cannot be written: ", detail::SystemError(), "; what was there is unchanged");
  }

  Path path_;       // as the user calls it
  Path target_;     // what is replaced
  Path temporary_;  // empty once it has its place
  detail::Descriptor file_;
  detail::Descriptor lock_;  // the same file: the lock must outlive file_, which is closed before it gets its place
};

}  // namespace tapegrad::inline TAPEGRAD_ABI::io
