#pragma once
// Everything that reads or writes files. It needs zlib, libpng and nlohmann/json beside what tapegrad.hpp needs.

#include "io/checkpoint.hpp"
#include "io/file.hpp"
#include "io/idx.hpp"
#include "io/mnist.hpp"
#include "io/module.hpp"
#include "io/npy.hpp"
#include "io/png.hpp"
#include "io/safetensors.hpp"
