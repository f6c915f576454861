// expect: tapegrad: errors are exceptions; compile without -fno-exceptions
// flags: -fno-exceptions
#include <tapegrad/fwd.hpp>
