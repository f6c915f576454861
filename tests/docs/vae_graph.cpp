// The graph of the README's VAE, for docs/vae-graph.svg: ./dev docs draws it.
#pragma GCC diagnostic ignored "-Wreturn-type"  // of a main() that is not one here
#define main quickstart
#include "../../examples/quickstart.cpp"
#undef main

#include <iostream>

int main() {
  tg::Rng rng(42);
  Vae model(rng);
  tg::Tape tape;
  std::cout << to_dot(model.loss(tape.constant(tg::Tensor({128, 784}, 0.5)), rng));
}
