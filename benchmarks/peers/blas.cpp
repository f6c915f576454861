// A BLAS: OpenBLAS or BLIS, as it is linked.

#include <cblas.h>

#include "serve.hpp"

int main() {
  return peers::serve_products([](const bench::Product& product) {
    return [product](const float* a, const float* b, float* c) {
      const auto [m, n, k, transpose_a, transpose_b] = product;
      cblas_sgemm(CblasRowMajor, transpose_a ? CblasTrans : CblasNoTrans, transpose_b ? CblasTrans : CblasNoTrans, m, n,
                  k, 1, a, product.row_of_a(), b, product.row_of_b(), 0, c, n);
    };
  });
}
