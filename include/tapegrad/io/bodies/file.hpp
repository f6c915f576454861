#pragma once
// The bodies of ../file.hpp, and what those of the other files share.

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cmath>
#include <cstring>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <vector>

#include "../../core/tensor.hpp"
#include "../file.hpp"

namespace tapegrad::inline TAPEGRAD_ABI::io {

namespace detail {

using tapegrad::detail::concat;
using tapegrad::detail::Part;
using tapegrad::detail::require;

[[noreturn, gnu::cold, gnu::noinline]] inline void fail_file(const Path& path, std::initializer_list<Part> parts) {
  throw IoError(concat(path.empty() ? "a file without a name" : path.string(), ": ", concat(parts)));
}
/// Throws an IoError that begins with the file's name, unless `condition`.
template <class... Parts>
TAPEGRAD_INLINE void require_file(bool condition, const Path& path, const Parts&... parts) {
  if (!condition) [[unlikely]]
    fail_file(path, {Part(parts)...});
}

/// A shape of lengths that a file gives. Throws an IoError, which says that `what` has them, if there is no such shape.
inline Shape file_shape(const Path& path, const std::string& what, std::span<const Index> lengths) {
  try {
    return Shape(lengths);
  } catch (const ShapeError& error) {
    fail_file(path, {what, " has an impossible shape: ", error.what()});
  }
}

/// The system's words for errno.
struct SystemError {
  int code = errno;
  std::string str() const { return std::generic_category().message(code); }
};

/// What files of other kinds begin with.
inline constexpr std::string_view npy_magic = "\x93NUMPY", gzip_magic = "\x1f\x8b", zip_magic = "PK\3\4";

inline std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// The system would take a path that has a zero byte for what stands before it.
inline void require_no_zero(const Path& path) {
  require_file(path.native().find('\0') == std::string::npos, path.c_str(), "the path goes on behind a zero byte");
}

/// Numbers of type From, wherever they lie, as Scalars. False if one of them is finite and infinite as a Scalar, or a
/// whole number that no Scalar is.
template <class From>
bool convert(const std::byte* from, TensorView to) {
  bool fits = true;
  for (Index i = 0; i < to.size(); ++i) {
    From number;
    std::memcpy(&number, from + i * static_cast<Index>(sizeof(From)), sizeof(From));
    to.data()[i] = static_cast<Scalar>(number);
    if constexpr (std::is_integral_v<From>)
      fits &= static_cast<long double>(to.data()[i]) == static_cast<long double>(number);
    else
      fits &= std::isinf(static_cast<double>(number)) || !std::isinf(to.data()[i]);
  }
  return fits;
}
inline constexpr const char* does_not_fit =
    "has a number that is too large for a float, or a whole one that a float rounds; this program's numbers are floats";

TAPEGRAD_BODY bool Descriptor::close() { return !is_open() || ::close(release()) == 0; }

}  // namespace detail

TAPEGRAD_BODY std::vector<std::byte> read_file(const Path& path) {
  using detail::require_file;
  detail::require_no_zero(path);
  // Whoever opens a pipe waits for its writer, but for O_NONBLOCK.
  const detail::Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  require_file(file.is_open(), path, "cannot be opened: ", detail::SystemError());
  struct stat status {};
  require_file(::fstat(file.number(), &status) == 0, path, "cannot be read: ", detail::SystemError());
  require_file(S_ISREG(status.st_mode), path, "is a directory or a device; a file is needed");
  std::vector<std::byte> bytes(static_cast<std::size_t>(status.st_size));
  for (std::size_t done = 0; done < bytes.size();) {
    const auto count = ::read(file.number(), bytes.data() + done, bytes.size() - done);
    if (count < 0 && errno == EINTR) continue;
    require_file(count >= 0, path, "cannot be read: ", detail::SystemError());
    require_file(count > 0, path, "became shorter while it was read (", done, " of ", bytes.size(), " bytes)");
    done += static_cast<std::size_t>(count);
  }
  return bytes;
}

TAPEGRAD_BODY AtomicFile::AtomicFile(const Path& path)
    : path_(path),
      target_(resolved(path)),
      temporary_(Path(target_) += ".tmp"),
      file_(open_temporary()),
      lock_(::fcntl(file_.number(), F_DUPFD_CLOEXEC, 0)) {}

TAPEGRAD_BODY AtomicFile::~AtomicFile() {
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

TAPEGRAD_BODY void AtomicFile::write(const void* data, std::size_t size) {
  require_open();
  const auto* bytes = static_cast<const std::byte*>(data);
  while (size > 0) {
    const auto count = ::write(file_.number(), bytes, size);
    if (count < 0 && errno == EINTR) continue;
    check(count >= 0);
    bytes += count;
    size -= static_cast<std::size_t>(count);
  }
}

TAPEGRAD_BODY void AtomicFile::commit() {
  require_open();
  check(::fsync(file_.number()) == 0);
  struct stat status {};
  if (::stat(target_.c_str(), &status) == 0) ::fchmod(file_.number(), status.st_mode & 07777);
  check(file_.close());
  check(::rename(temporary_.c_str(), target_.c_str()) == 0);
  temporary_.clear();
  // The rename itself survives a power cut once the directory is on disk; not every file system can be asked.
  const Path parent = target_.has_parent_path() ? target_.parent_path() : Path(".");
  const detail::Descriptor directory(::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.is_open()) ::fsync(directory.number());
}

TAPEGRAD_BODY Path AtomicFile::resolved(const Path& path) {
  detail::require_no_zero(path);
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  detail::require_file(!exists(status) || is_regular_file(status), path,
                       "is a directory or a device; only a file can be replaced");
  detail::require_file(path.has_filename(), path, "cannot be written: the path names no file");
  Path target = path;
  for (int links = 0; is_symlink(std::filesystem::symlink_status(target, error)); ++links) {
    detail::require_file(links < 40, path, "is a symbolic link that leads round in a circle");
    target = target.parent_path() / std::filesystem::read_symlink(target, error);
    detail::require_file(!error, path, "is a symbolic link that cannot be read: ", error.message());
  }
  return target;
}

TAPEGRAD_BODY int AtomicFile::open_temporary() const {
  // What replaces a file is the owner's alone until commit() gives it that file's mode: nobody reads what they could
  // not read there, and one that was read-only does not keep the next writer out if this one is killed. Of a pipe
  // O_NONBLOCK makes an error, in place of a wait for its reader.
  const bool replaces = ::access(target_.c_str(), F_OK) == 0;
  constexpr int how = O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
  while (true) {
    detail::Descriptor file(::open(temporary_.c_str(), how, replaces ? 0600 : 0666));
    detail::require_file(file.is_open(), path_, "cannot be written: ", detail::SystemError(), " (", temporary_.string(),
                         "); the directory must be there and be writable");
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
    if (replaces) ::fchmod(file.number(), 0600);  // one that was left behind
    return file.release();
  }
}

TAPEGRAD_BODY void AtomicFile::require_open() const {
  detail::require_file(file_.is_open(), path_, "is closed since commit(); another AtomicFile may replace it");
}

TAPEGRAD_BODY void AtomicFile::check(bool done) const {
  detail::require_file(done, path_, "cannot be written: ", detail::SystemError(), "; what was there is unchanged");
}

}  // namespace tapegrad::inline TAPEGRAD_ABI::io
