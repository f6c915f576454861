// Eigen, by the flags that it is compiled with.

#include <Eigen/Core>

#include "serve.hpp"

int main() {
  using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  using Input = Eigen::Map<const Matrix, Eigen::Aligned64>;
  return peers::serve_products([](const bench::Product& product) {
    return [product](const float* a, const float* b, float* c) {
      const auto [m, n, k, transpose_a, transpose_b] = product;
      Eigen::Map<Matrix, Eigen::Aligned64> result(c, m, n);
      if (transpose_a) {
        result.noalias() = Input(a, k, m).transpose() * Input(b, k, n);
      } else if (transpose_b) {
        result.noalias() = Input(a, m, k) * Input(b, n, k).transpose();
      } else {
        result.noalias() = Input(a, m, k) * Input(b, k, n);
      }
    };
  });
}
