// Any bytes, compressed, as an IDX file: past what checks the compressed stream.

#include <zlib.h>

#include <tapegrad/io/idx.hpp>
#include <vector>

#include "memory_file.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  z_stream stream{};
  constexpr int gzip_format = 15 + 16, memory = 8;
  if (deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, gzip_format, memory, Z_DEFAULT_STRATEGY) != Z_OK) std::abort();
  std::vector<std::uint8_t> compressed(deflateBound(&stream, size));
  stream.next_in = const_cast<Bytef*>(data);
  stream.avail_in = static_cast<uInt>(size);
  stream.next_out = compressed.data();
  stream.avail_out = static_cast<uInt>(compressed.size());
  if (deflate(&stream, Z_FINISH) != Z_STREAM_END) std::abort();
  const std::size_t length = stream.total_out;
  deflateEnd(&stream);

  const MemoryFile file(compressed.data(), length);
  try {
    tapegrad::io::read_idx(file.path());
  } catch (const tapegrad::IoError&) {
  }
  return 0;
}
