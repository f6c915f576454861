// expect: const auto guard = tape.no_grad\(\);
// flags: -Werror
#include <tapegrad/autodiff/tape.hpp>
void predict(tapegrad::Tape& tape) { tape.no_grad(); }
