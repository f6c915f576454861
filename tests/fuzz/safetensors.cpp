// Any bytes as a safetensors file: a model's parameters, or one IoError, and then the model is as it was.

#include <tapegrad/io/module.hpp>
#include <tapegrad/nn/linear.hpp>

#include "memory_file.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const MemoryFile file(data, size);
  tapegrad::Rng rng(1);
  tapegrad::nn::Linear layer(rng, 2, 1);
  const tapegrad::Tensor before(layer.weight.value());
  try {
    tapegrad::io::load(file.path(), layer);
  } catch (const tapegrad::IoError&) {
    if (!tapegrad::same_bits(layer.weight.value(), before)) std::abort();
  }
  return 0;
}
