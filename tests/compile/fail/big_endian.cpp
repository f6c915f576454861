// expect: tapegrad: a little-endian machine is needed
// flags: -D__BYTE_ORDER__=__ORDER_BIG_ENDIAN__
#include <tapegrad/fwd.hpp>
