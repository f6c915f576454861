// expect: make another of the same kind
#include <tapegrad/nn/module.hpp>
void copy(const tapegrad::nn::Module& module) { tapegrad::nn::Module other = module; }
