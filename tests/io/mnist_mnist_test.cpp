// Facts about the real files.

#include "mnist.hpp"
#include "catch.hpp"
#include "tapegrad/data/batches.hpp"
#include "tapegrad/io/mnist.hpp"

using namespace tapegrad;

namespace {

std::vector<int> first_labels(const data::ImageDataset& set) {
  return {set.labels().begin(), set.labels().begin() + 5};
}

}  // namespace

TEST_CASE("MNIST is what it is known to be") {
  const io::Mnist mnist = io::mnist(mnist_dir());
  CHECK(mnist.train.size() == 60000);
  CHECK(mnist.test.size() == 10000);
  CHECK(mnist.train.rows() == 28);
  CHECK(mnist.train.cols() == 28);
  CHECK(first_labels(mnist.train) == std::vector<int>{5, 0, 4, 1, 9});
  CHECK(first_labels(mnist.test) == std::vector<int>{7, 2, 1, 0, 4});
}

// The numbers that everybody normalises by.
TEST_CASE("MNIST's mean pixel is 0.1307, its standard deviation 0.3081") {
  const io::Mnist mnist = io::mnist(mnist_dir());
  double sum = 0, squares = 0, count = 0;
  for (const auto& batch : data::batches(mnist.train, {.size = 1000})) {
    const auto pixels = batch.images.array().cast<double>();
    sum += pixels.sum();
    squares += pixels.square().sum();
    count += static_cast<double>(pixels.size());
  }
  const double mean = sum / count;
  CHECK(mean == Approx(0.1307).margin(5e-5));
  CHECK(std::sqrt(squares / count - mean * mean) == Approx(0.3081).margin(5e-5));
}

TEST_CASE("Fashion-MNIST is where Debian's package has it") {
  if (!std::filesystem::exists("/usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz")) {
    std::printf("skipped: Debian's package dataset-fashion-mnist is not installed\n");
    std::fflush(stdout);
    std::_Exit(77);
  }
  const io::Mnist fashion = io::fashion_mnist();
  CHECK(fashion.train.size() == 60000);
  CHECK(fashion.test.size() == 10000);
  CHECK(first_labels(fashion.train) == std::vector<int>{9, 0, 0, 3, 0});
}
