// expect: use of deleted function|call to deleted
#include <tapegrad/autodiff/tape.hpp>

tapegrad::Var ones(tapegrad::Tape& tape) { return tape.borrow(tapegrad::Tensor::ones({3})); }
