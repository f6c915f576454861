#include <torch/torch.h>

#include "autoencoder.hpp"

int main() {
  autoencoder::Turns turns;
  std::vector<torch::Tensor> rows;
  for (std::vector<float>& image : autoencoder::images())
    rows.push_back(torch::from_blob(image.data(), {autoencoder::pixels}).clone());
  const torch::Tensor images = torch::stack(rows).view({autoencoder::batches, autoencoder::batch, autoencoder::pixels});

  torch::manual_seed(1);
  torch::nn::Sequential net(torch::nn::Linear(784, 512), torch::nn::ReLU(), torch::nn::Linear(512, 32),
                            torch::nn::Linear(32, 512), torch::nn::ReLU(), torch::nn::Linear(512, 784));
  torch::optim::Adam adam(net->parameters(), torch::optim::AdamOptions(1e-3));

  for (int step = 0;; ++step) {
    const torch::Tensor x = images[step % autoencoder::batches];
    const torch::Tensor loss = torch::mse_loss(net->forward(x), x);
    adam.zero_grad();
    loss.backward();
    adam.step();
    turns.done([&] { return loss.item<double>(); });
  }
}
