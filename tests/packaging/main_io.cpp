// A checkpoint, written and read again, and what needs libpng and zlib: a picture, and data that is not there.
#include <cstdio>
#include <tapegrad/io.hpp>
#include <tapegrad/tapegrad.hpp>
namespace tg = tapegrad;

int main() {
  tg::Rng rng(1);
  tg::nn::Linear saved(rng, 3, 2), loaded(rng, 3, 2);
  tg::io::save("linear.safetensors", saved);
  tg::io::load("linear.safetensors", loaded);
  std::remove("linear.safetensors");

  tg::io::save_png("picture.png", tg::Tensor({2, 2}, {0, 1, 1, 0}));
  std::remove("picture.png");
  try {
    tg::io::read_idx("no-such-data");
  } catch (const tg::IoError&) {
    return 0;
  }
  return 1;
}
