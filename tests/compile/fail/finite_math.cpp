// expect: tapegrad: -ffast-math breaks NaN checks
// flags: -ffinite-math-only
#include <tapegrad/fwd.hpp>
