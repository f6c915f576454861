// expect: deleted
#include <tapegrad/tapegrad.hpp>

int main() {
  tapegrad::Rng rng(1);
  tapegrad::optim::Adam adam(tapegrad::nn::Linear(rng, 2, 2).parameters());
}
