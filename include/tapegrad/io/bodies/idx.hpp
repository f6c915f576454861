#pragma once

#include <zlib.h>

#include <algorithm>
#include <array>
#include <memory>
#include <type_traits>

#include "../idx.hpp"
#include "file.hpp"

namespace tapegrad::inline TAPEGRAD_ABI::io {

namespace detail {

/// Reads a file that may be compressed by gzip; whether it is, its first bytes say, not its name.
class GzReader {
 public:
  explicit GzReader(const Path& path) : path_(path) {
    Descriptor file = open_to_read(path);
    file_.reset(::gzdopen(file.number(), "rb"));
    require_file(file_ != nullptr, path, "cannot be opened: there is no memory for it");
    file.release();
    ::gzbuffer(file_.get(), 1 << 17);
  }

  /// Up to `size` bytes; fewer only at the end of the file.
  std::size_t read(std::uint8_t* out, std::size_t size) {
    errno = 0;
    const std::size_t count = ::gzfread(out, 1, size, file_.get());
    if (count < size) {
      int code = Z_OK;
      ::gzerror(file_.get(), &code);
      require_file(code != Z_ERRNO, path_, "cannot be read: ", SystemError());
      require_file(code != Z_BUF_ERROR, path_, "is truncated: the compressed data break off; get the file again");
      require_file(code == Z_OK || code == Z_STREAM_END, path_, "the compressed data are damaged; get the file again");
    }
    return count;
  }

 private:
  struct Close {
    void operator()(gzFile file) const noexcept { ::gzclose(file); }
  };
  const Path& path_;
  std::unique_ptr<std::remove_pointer_t<gzFile>, Close> file_;
};

}  // namespace detail

TAPEGRAD_BODY Idx read_idx(const Path& path) {
  using detail::require_file;
  detail::GzReader file(path);

  std::array<std::uint8_t, 4> magic{};
  const std::size_t found = file.read(magic.data(), 4);
  require_file(found == 4, path, "has ", found, " bytes; an IDX file begins with 4 (0 0 8 and the number of axes)");
  const auto [zero, also_zero, type, axes] = magic;
  require_file(zero == 0 && also_zero == 0 && type == 8 && axes >= 1 && axes <= 4, path, "begins with the bytes ",
               +zero, " ", +also_zero, " ", +type, " ", +axes,
               "; an IDX file of bytes begins with 0 0 8 and 1 to 4, its number of axes");

  std::array<Index, 4> lengths{};
  for (std::size_t axis = 0; axis < axes; ++axis) {
    std::array<std::uint8_t, 4> big_endian{};
    require_file(file.read(big_endian.data(), 4) == 4, path, "is truncated: the header of ", +axes,
                 " axes has 4 bytes for each, the file ends before");
    for (const std::uint8_t byte : big_endian) lengths[axis] = lengths[axis] << 8 | byte;
  }
  Idx result;
  result.shape = detail::file_shape(path, "the header", {lengths.data(), axes});

  // Memory grows with what is really there, whatever the header promises.
  const auto promised = static_cast<std::size_t>(result.shape.size());
  constexpr std::size_t piece = std::size_t{1} << 20;
  std::size_t size = 0;
  while (size < promised) {
    result.bytes.resize(size + std::min(piece, promised - size));
    const std::size_t count = file.read(result.bytes.data() + size, result.bytes.size() - size);
    require_file(count > 0, path, "is truncated: ", size, " bytes of data, the header says ", promised, " (",
                 result.shape, ")");
    size += count;
  }
  std::uint8_t more = 0;
  require_file(file.read(&more, 1) == 0, path, "has bytes after the ", promised, " that the header says (",
               result.shape, "); the header or the file is damaged");
  return result;
}

}  // namespace tapegrad::inline TAPEGRAD_ABI::io
