#include <tapegrad/tapegrad.hpp>

#include "autoencoder.hpp"

namespace tg = tapegrad;

int main() {
  autoencoder::Turns turns;
  std::vector<tg::Tensor> batches(autoencoder::batches, tg::Tensor({autoencoder::batch, autoencoder::pixels}));
  tg::Index next = 0;
  for (const std::vector<float>& image : autoencoder::images()) {
    tg::Tensor& x = batches[static_cast<std::size_t>(next / autoencoder::batch)];
    x.matrix().row(next++ % autoencoder::batch) = tg::view(image).matrix();
  }

  tg::Rng rng(1);
  tg::nn::Sequential net(rng);
  net.add<tg::nn::Linear>(784, 512);
  net.add<tg::nn::ReLU>();
  net.add<tg::nn::Linear>(512, 32);
  net.add<tg::nn::Linear>(32, 512);
  net.add<tg::nn::ReLU>();
  net.add<tg::nn::Linear>(512, 784);
  tg::optim::Adam adam(net.parameters(), {.lr = 1e-3});

  tg::Tape tape;
  for (int step = 0;; ++step) {
    tape.reset();
    const tg::Var x = tape.constant(batches[step % autoencoder::batches]);
    const tg::Var loss = mse(net(x), x);
    adam.zero_grad();
    loss.backward();
    adam.step();
    turns.done([&] { return loss.item(); });
  }
}
