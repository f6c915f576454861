// expect: tapegrad: -ffast-math breaks NaN checks
// flags: -ffast-math
#include <tapegrad/fwd.hpp>
