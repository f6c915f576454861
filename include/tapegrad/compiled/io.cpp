// What of io.hpp is compiled apart where the whole build defines TAPEGRAD_COMPILED: all of it.

#ifndef TAPEGRAD_COMPILED
#define TAPEGRAD_COMPILED
#endif

#include "../io/bodies/checkpoint.hpp"
#include "../io/bodies/file.hpp"
#include "../io/bodies/idx.hpp"
#include "../io/bodies/mnist.hpp"
#include "../io/bodies/module.hpp"
#include "../io/bodies/npy.hpp"
#include "../io/bodies/png.hpp"
#include "../io/bodies/safetensors.hpp"
