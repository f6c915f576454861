#include <tapegrad/core/tensor.hpp>

tapegrad::Index count(const tapegrad::Tensor& x);
tapegrad::Index count(const tapegrad::Tensor& x) { return x.size(); }
