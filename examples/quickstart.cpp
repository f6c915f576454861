#include <cstdio>
#include <tapegrad/io.hpp>
#include <tapegrad/tapegrad.hpp>
namespace tg = tapegrad;

struct Vae : tg::nn::Module {
  using Module::Module;  // Vae model(rng): members draw their initial weights from it
  tg::nn::Linear encode{*this, "encode", 784, 512};
  tg::nn::Linear moments{*this, "moments", 512, 2 * 32};  // mean and log-variance of q(z|x)
  tg::nn::Linear expand{*this, "expand", 32, 512};
  tg::nn::Linear pixels{*this, "pixels", 512, 784};

  tg::Var decode(tg::Var z) { return pixels(relu(expand(z))); }

  tg::Var loss(tg::Var x, tg::Rng& rng) {
    auto [mu, log_var] = tg::split<2>(moments(relu(encode(x))));
    tg::Var z = mu + exp(0.5f * log_var) * x.tape().randn(mu.shape(), rng);
    return (bce_with_logits(decode(z), x) + kl_standard_normal(mu, log_var)) / x.shape().rows();
  }
};

int main() {
  tg::Rng rng(42);
  Vae model(rng);
  tg::optim::Adam adam(model.parameters(), {.lr = 1e-3});
  auto mnist = tg::io::mnist("data/mnist");
  tg::Tape tape;
  for (int epoch = 1; epoch <= 10; ++epoch) {
    double total = 0;
    for (const auto& batch : tg::data::batches(mnist.train, {.size = 128, .shuffle = &rng})) {
      tape.reset();  // forget the last pass, keep its memory
      tg::Var loss = model.loss(tape.constant(batch.images), rng);
      adam.zero_grad();
      loss.backward();
      adam.step();
      total += loss.item() * batch.size();
    }
    std::printf("epoch %d: %.2f nats per image\n", epoch, total / mnist.train.size());
  }
  tg::io::save("vae.safetensors", model);
}
