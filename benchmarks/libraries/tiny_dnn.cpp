#include <tiny_dnn/tiny_dnn.h>

#include "autoencoder.hpp"

int main() {
  autoencoder::Turns turns;
  std::vector<tiny_dnn::vec_t> images;
  for (const std::vector<float>& image : autoencoder::images()) images.emplace_back(image.begin(), image.end());

  using Linear = tiny_dnn::fully_connected_layer<tiny_dnn::activation::identity>;
  using LinearReLU = tiny_dnn::fully_connected_layer<tiny_dnn::activation::relu>;
  tiny_dnn::network<tiny_dnn::sequential> net;
  net << LinearReLU(784, 512) << Linear(512, 32) << LinearReLU(32, 512) << Linear(512, 784);
  tiny_dnn::adam adam;

  // A weight: predict() would make every buffer one sample long, and the next step make it 128 long again.
  const auto after_batch = [&] { turns.done([&] { return (*net[0]->weights()[0])[0]; }); };
  net.fit<tiny_dnn::mse>(adam, images, images, autoencoder::batch, 1000000, after_batch, [] {});
}
