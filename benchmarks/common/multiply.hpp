#pragma once

#include <tapegrad/gemm/gemm.hpp>

#include "products.hpp"

namespace bench {

namespace tg = tapegrad;

/// One of the products by the library.
inline void multiply(const Product& product, const float* a, const float* b, float* c) {
  using Matrix = tg::ConstStridedMatrix;
  const auto [m, n, k, transpose_a, transpose_b] = product;
  tg::gemm(transpose_a ? Matrix{a, k, m, m}.transposed() : Matrix{a, m, k, k},
           transpose_b ? Matrix{b, n, k, k}.transposed() : Matrix{b, k, n, n}, {c, m, n, n});
}

}  // namespace bench
