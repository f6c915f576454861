#pragma once

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "../idx.hpp"
#include "file.hpp"

namespace tapegrad::inline TAPEGRAD_ABI::io {

namespace detail {

/// Reads a file that may be compressed by gzip; whether it is, its first bytes say, not its name. (zlib's gzread takes
/// a file whose last bytes are missing, the checksum among them, for a whole one.)
class GzReader {
 public:
  explicit GzReader(const Path& path)
      : path_(path), file_(read_file(path)), left_(file_), compressed_(are_compressed(left_)) {
    constexpr int largest_window = 15, gzip = 16;
    if (compressed_)
      require_file(::inflateInit2(&stream_, largest_window + gzip) == Z_OK, path, "cannot be read: there is no memory");
  }
  ~GzReader() {
    if (compressed_) ::inflateEnd(&stream_);
  }
  GzReader(const GzReader&) = delete;
  GzReader& operator=(const GzReader&) = delete;

  /// Up to `size` bytes; fewer only at the end of the file.
  std::size_t read(std::uint8_t* out, std::size_t size) {
    if (compressed_) return inflate(out, size);
    const std::size_t count = std::min(size, left_.size());
    if (count > 0) std::memcpy(out, left_.data(), count);
    left_ = left_.subspan(count);
    return count;
  }

 private:
  static bool are_compressed(std::span<const std::byte> bytes) { return as_text(bytes).starts_with(gzip_magic); }
  std::size_t inflate(std::uint8_t* out, std::size_t size) {
    constexpr std::size_t most = 1 << 30;  // zlib counts in 32 bits
    std::size_t count = 0;
    while (count < size && !(ended_ && left_.empty())) {
      if (ended_) ::inflateReset(&stream_);
      const std::size_t in = std::min(left_.size(), most), room = std::min(size - count, most);
      stream_.next_in = reinterpret_cast<Bytef*>(left_.data());
      stream_.avail_in = static_cast<uInt>(in);
      stream_.next_out = out + count;
      stream_.avail_out = static_cast<uInt>(room);
      const int code = ::inflate(&stream_, Z_NO_FLUSH);
      require_file(code != Z_BUF_ERROR, path_, "is truncated: the compressed data break off; get the file again");
      require_file(code == Z_OK || code == Z_STREAM_END, path_, "the compressed data are damaged; get the file again");
      left_ = left_.subspan(in - stream_.avail_in);
      count += room - stream_.avail_out;
      ended_ = code == Z_STREAM_END;
      // A file may be several, one after another. What else follows is no more of it.
      if (ended_ && !are_compressed(left_)) left_ = {};
    }
    return count;
  }

  const Path& path_;
  std::vector<std::byte> file_;
  std::span<std::byte> left_;
  bool compressed_;
  bool ended_ = false;
  z_stream stream_ = {};
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
