// What of tapegrad.hpp is compiled apart where the whole build defines TAPEGRAD_COMPILED: the kernels.

#ifndef TAPEGRAD_COMPILED
#define TAPEGRAD_COMPILED
#endif

#include "../core/simd/adam.hpp"
#include "../core/simd/bce.hpp"
#include "../core/simd/bytes.hpp"
#include "../core/simd/math.hpp"
#include "../core/simd/philox.hpp"
#include "../core/simd/reduce.hpp"
#include "../gemm/product.hpp"
