// Any bytes as a .npy file: a tensor, or one IoError.

#include <tapegrad/io/npy.hpp>

#include "memory_file.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const MemoryFile file(data, size);
  try {
    tapegrad::io::load_npy(file.path());
  } catch (const tapegrad::IoError&) {
  }
  return 0;
}
