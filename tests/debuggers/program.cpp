// What tests/debuggers/check-gdb looks at.
#include <tapegrad/autodiff/tape.hpp>

void stop_here() {}

int main() {
  const tapegrad::Tensor tensor({2, 3}, {1, 2.5, -3, 4, 5, 6});
  [[maybe_unused]] const tapegrad::ConstTensorView view = tensor;
  tapegrad::Tape tape;
  [[maybe_unused]] const tapegrad::Var stale = tape.constant(tensor), none;
  tape.reset();
  [[maybe_unused]] const tapegrad::Var var = tape.variable(tensor);
  stop_here();
}
