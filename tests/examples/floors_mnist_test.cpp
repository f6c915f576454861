// The floors that the answer stands on, of the real images.

#include "../../examples/common/floors.hpp"

#include "catch.hpp"
#include "mnist.hpp"
#include "tapegrad/io/mnist.hpp"

using namespace examples;

TEST_CASE("MNIST's floors are what they are known to be") {
  const tg::io::Mnist mnist = tg::io::mnist(mnist_dir());
  const nlohmann::json grey = floors(PixelStatistics(mnist.train), PixelStatistics(mnist.test));
  const auto is = [&](const char* floor, double train, double test) {
    INFO(floor);
    CHECK(grey[floor]["train"].get<double>() == Approx(train).margin(1e-3));
    CHECK(grey[floor]["test"].get<double>() == Approx(test).margin(1e-3));
  };
  CHECK(grey["uniform"].get<double>() == Approx(543.427).margin(1e-3));
  is("mean_image", 206.0275, 205.806);
  is("class_means", 172.891, 171.836);
  is("perfect", 45.757, 45.534);
  const PixelStatistics black_and_white(mnist.train, tg::data::Binarize::threshold);
  CHECK(black_and_white.loss_of_mean_image(black_and_white) == Approx(206.0430).margin(1e-3));
}
