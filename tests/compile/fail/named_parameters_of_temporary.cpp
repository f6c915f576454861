// expect: deleted
#include <tapegrad/nn/linear.hpp>

int main() {
  tapegrad::Rng rng(1);
  for (const auto& [name, parameter] : tapegrad::nn::Linear(rng, 2, 2).named_parameters()) parameter->zero_grad();
}
