// What of tapegrad.hpp is compiled apart where the whole build defines TAPEGRAD_COMPILED: the kernels.

#ifndef TAPEGRAD_COMPILED
#define TAPEGRAD_COMPILED
#endif

#include <tapegrad/core/simd/adam.hpp>
#include <tapegrad/core/simd/bce.hpp>
#include <tapegrad/core/simd/bytes.hpp>
#include <tapegrad/core/simd/math.hpp>
#include <tapegrad/core/simd/philox.hpp>
#include <tapegrad/core/simd/reduce.hpp>
#include <tapegrad/gemm/compute.hpp>
