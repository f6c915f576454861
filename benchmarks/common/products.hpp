#pragma once
// The matrix products that are measured, ours and the peers': nothing of tapegrad is needed here.

#include <algorithm>
#include <cstddef>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

namespace bench {

/// A fully connected layer: input x (batch, inputs), weight W (outputs, inputs), gradient g (batch, outputs).
struct Layer {
  int batch, inputs, outputs;
};

struct LayerGroup {
  const char* name;
  std::vector<Layer> layers;
  std::vector<std::string> passes;
};

/// Everything that is measured.
inline const std::vector<LayerGroup>& layer_groups() {
  static const std::vector<LayerGroup> groups{
      {"VAE", {{128, 784, 512}, {128, 512, 64}, {128, 32, 512}, {128, 512, 784}}, {"fwd", "dW", "dX"}},
      {"batch 20",
       {{20, 784, 200}, {20, 200, 200}, {20, 200, 100}, {20, 200, 50}, {20, 50, 200}, {20, 200, 784}},
       {"fwd", "dW", "dX"}},
      {"square", {{256, 256, 256}, {512, 512, 512}, {1024, 1024, 1024}, {2048, 2048, 2048}}, {"fwd"}}};
  return groups;
}

/// C (m, n) = op(A) op(B) with op(A) of (m, k); row-major and contiguous. Where they are transposed, A is stored as
/// (k, m), B as (n, k).
struct Product {
  int m, n, k;
  bool transpose_a, transpose_b;

  double operations() const { return 2.0 * m * n * k; }
  int row_of_a() const { return transpose_a ? m : k; }
  int row_of_b() const { return transpose_b ? k : n; }
};

/// What a layer computes: forward, for its weight's gradient, for its input's.
inline Product product(const std::string& pass, const Layer& layer) {
  const auto [batch, inputs, outputs] = layer;
  if (pass == "fwd") return {batch, outputs, inputs, false, true};  // x W^T
  if (pass == "dW") return {outputs, inputs, batch, true, false};   // g^T x
  if (pass == "dX") return {batch, inputs, outputs, false, false};  // g W
  throw std::invalid_argument("a layer has no pass " + pass);
}

/// Operands for one call after another. Hot: always the same. Cold: copies in turn, 16 MB of them, so that none is left
/// in a second-level cache when its turn comes again, and all are in the third-level one.
class Operands {
 public:
  /// Whether there is room for two copies: those of large products are neither hot nor cold.
  static bool can_be_cold(const Product& product) {
    return 2 * (padded(product.m, product.k) + padded(product.k, product.n) + padded(product.m, product.n)) <=
           cold_numbers;
  }

  Operands(const Product& product, bool cold)
      : a_(padded(product.m, product.k)), b_(padded(product.k, product.n)), c_(padded(product.m, product.n)) {
    if (a_ + b_ > 2 * largest || c_ > largest) throw std::invalid_argument("the product is larger than 2048 cubed");
    if (cold) copies_ = std::max<std::size_t>(1, cold_numbers / (a_ + b_ + c_));
  }

  void next() { copy_ = (copy_ + 1) % copies_; }
  const float* a() const { return inputs_ + copy_ * (a_ + b_); }
  const float* b() const { return a() + a_; }
  float* c() const { return outputs_ + copy_ * c_; }

 private:
  static constexpr std::size_t line = 64 / sizeof(float);
  static constexpr std::size_t largest = 2048 * 2048 + 2 * line;
  static constexpr std::size_t cold_numbers = (16 << 20) / sizeof(float);

  /// Whole cache lines and one more, so that copies do not all begin at the same place within a page.
  static std::size_t padded(int rows, int cols) {
    return (static_cast<std::size_t>(rows) * static_cast<std::size_t>(cols) + 2 * line - 1) / line * line;
  }

  // Shared by all products: there are dozens.
  static const float* inputs() {
    alignas(64) static float numbers[2 * largest];
    static const float* const filled = [] {
      std::minstd_rand bits(1);
      std::uniform_real_distribution<float> uniform(-1, 1);
      for (float& number : numbers) number = uniform(bits);
      return numbers;
    }();
    return filled;
  }
  static float* outputs() {
    alignas(64) static float numbers[largest];
    return numbers;
  }

  const float* inputs_ = inputs();
  float* outputs_ = outputs();
  std::size_t a_, b_, c_;  // numbers in each
  std::size_t copies_ = 1;
  std::size_t copy_ = 0;
};

}  // namespace bench
