// expect: deleted
#include <tapegrad/ops/reduce.hpp>

tapegrad::Var relu(tapegrad::Var x) { return max(x, 0.0); }
