#pragma once
// What the programs of this folder share: an autoencoder, 784-512-32-512-784 with ReLU after the first and the third
// layer, that learns by Adam (1e-3) to repeat its input, batches of 128, by the mean squared error. It is the same
// network with each library, written as its documentation does it. bench_libraries compiles and runs them.

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <vector>

namespace autoencoder {

constexpr int pixels = 784, batch = 128, batches = 10;

/// `batches * batch` images; a ninth of the pixels is lit, somewhat less than in MNIST's.
inline std::vector<std::vector<float>> images() {
  std::mt19937 bits(1);
  std::vector<std::vector<float>> images(batches * batch, std::vector<float>(pixels));
  for (std::vector<float>& image : images)
    for (float& pixel : image) pixel = bits() % 9 == 0 ? static_cast<float>(bits() % 256) / 255 : 0.0f;
  return images;
}

/// The program's turns, made before anything else: it reads a number of steps from its input, trains them, and answers
/// with the milliseconds of a step and a number that says whether the training went the same way.
class Turns {
 public:
  Turns() { wait(); }

  /// To be called after each step. `result` waits for what is not done yet, and gives that number.
  template <class Result>
  void done(const Result& result) {
    if (--left_ > 0) return;
    const double number = result();
    const std::chrono::duration<double, std::milli> time = std::chrono::steady_clock::now() - start_;
    std::printf("%.9g %.17g\n", time.count() / steps_, number);
    std::fflush(stdout);
    wait();
  }

 private:
  void wait() {
    if (std::scanf("%d", &steps_) != 1) std::exit(0);
    left_ = steps_;
    start_ = std::chrono::steady_clock::now();
  }

  int steps_ = 0, left_ = 0;
  std::chrono::steady_clock::time_point start_;
};

}  // namespace autoencoder
