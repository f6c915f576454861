// A checkpoint, written and read again.
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
}
