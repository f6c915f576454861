// Any bytes as a checkpoint: a run that goes on, or one IoError, and then nothing has changed.

#include <tapegrad/io/checkpoint.hpp>
#include <tapegrad/nn/linear.hpp>
#include <tapegrad/optim/adam.hpp>

#include "memory_file.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const MemoryFile file(data, size);
  tapegrad::Rng rng(1);
  tapegrad::nn::Linear layer(rng, 2, 1);
  tapegrad::optim::Adam adam(layer.parameters());
  int epoch = 1;
  tapegrad::io::Checkpoint checkpoint;
  checkpoint.add("model", layer).add("adam", adam).add("rng", rng).add("epoch", epoch);
  const tapegrad::Tensor before(layer.weight.value());
  try {
    checkpoint.load(file.path());
  } catch (const tapegrad::IoError&) {
    if (epoch != 1 || adam.lr() != 1e-3 || !tapegrad::same_bits(layer.weight.value(), before)) std::abort();
  }
  return 0;
}
