// expect: ignoring return
// flags: -Werror
#include <tapegrad/autodiff/gradcheck.hpp>

void check(const tapegrad::Tensor& x) {
  tapegrad::gradcheck([](std::span<const tapegrad::Var> v) { return v[0]; }, {x});
}
