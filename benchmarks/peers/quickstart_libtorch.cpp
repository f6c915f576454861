// examples/quickstart.cpp, as its author would write it with libtorch: for bench_compile, which compiles both.

#include <torch/torch.h>

#include <cstdio>

struct VaeImpl : torch::nn::Module {
  torch::nn::Linear encode = register_module("encode", torch::nn::Linear(784, 512));
  torch::nn::Linear moments = register_module("moments", torch::nn::Linear(512, 2 * 32));
  torch::nn::Linear expand = register_module("expand", torch::nn::Linear(32, 512));
  torch::nn::Linear pixels = register_module("pixels", torch::nn::Linear(512, 784));

  torch::Tensor decode(torch::Tensor z) { return pixels(torch::relu(expand(z))); }

  torch::Tensor loss(torch::Tensor x) {
    auto parts = moments(torch::relu(encode(x))).chunk(2, -1);
    torch::Tensor mu = parts[0], log_var = parts[1];
    torch::Tensor z = mu + torch::exp(0.5 * log_var) * torch::randn_like(mu);
    torch::Tensor bce = torch::binary_cross_entropy_with_logits(decode(z), x, {}, {}, at::Reduction::Sum);
    torch::Tensor kl = 0.5 * (mu.square() + torch::expm1(log_var) - log_var).sum();
    return (bce + kl) / x.size(0);
  }
};
TORCH_MODULE(Vae);

int main() {
  torch::manual_seed(42);
  Vae model;
  torch::optim::Adam adam(model->parameters(), torch::optim::AdamOptions(1e-3));
  auto train = torch::data::datasets::MNIST("data/mnist").map(torch::data::transforms::Stack<>());
  const auto size = static_cast<double>(*train.size());
  auto batches = torch::data::make_data_loader<torch::data::samplers::RandomSampler>(
      std::move(train), torch::data::DataLoaderOptions().batch_size(128));
  for (int epoch = 1; epoch <= 10; ++epoch) {
    double total = 0;
    for (auto& batch : *batches) {
      torch::Tensor loss = model->loss(batch.data.view({-1, 784}));
      adam.zero_grad();
      loss.backward();
      adam.step();
      total += loss.item<double>() * static_cast<double>(batch.data.size(0));
    }
    std::printf("epoch %d: %.2f nats per image\n", epoch, total / size);
  }
  torch::save(model, "vae.pt");
}
