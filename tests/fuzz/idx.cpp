// Any bytes as an IDX file, plain or compressed: an image set, or one IoError.

#include <tapegrad/io/idx.hpp>

#include "memory_file.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const MemoryFile file(data, size);
  try {
    tapegrad::io::read_idx(file.path());
  } catch (const tapegrad::IoError&) {
  }
  return 0;
}
