// What of io.hpp is compiled apart where the whole build defines TAPEGRAD_COMPILED: all of it.

#ifndef TAPEGRAD_COMPILED
#define TAPEGRAD_COMPILED
#endif

#include <tapegrad/io/bodies/checkpoint.hpp>
#include <tapegrad/io/bodies/file.hpp>
#include <tapegrad/io/bodies/idx.hpp>
#include <tapegrad/io/bodies/mnist.hpp>
#include <tapegrad/io/bodies/module.hpp>
#include <tapegrad/io/bodies/npy.hpp>
#include <tapegrad/io/bodies/png.hpp>
#include <tapegrad/io/bodies/safetensors.hpp>
