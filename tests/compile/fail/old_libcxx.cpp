// expect: tapegrad: checkpoints need libstdc\+\+ or libc\+\+ 20
// flags: -D_LIBCPP_VERSION=190000
#include <tapegrad/io/checkpoint.hpp>
