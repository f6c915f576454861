// expect: C.*20 is needed; compile with -std=c.*20.*the error above
// flags: -std=c++17
#include <tapegrad/fwd.hpp>
