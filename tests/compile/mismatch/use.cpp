#include <tapegrad/core/tensor.hpp>

tapegrad::Index count(const tapegrad::Tensor& x);

int main() { return static_cast<int>(count(tapegrad::Tensor())); }
