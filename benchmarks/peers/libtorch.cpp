// libtorch at its best: what pytorch.py does, in C++.

#include <torch/torch.h>

#include "serve.hpp"

namespace {

namespace nn = torch::nn;
using torch::Tensor;

/// Images as common/images.hpp describes them: the tracks of pens that walk at random.
Tensor walks(int64_t count) {
  const Tensor images = torch::zeros({count, 28, 28}, torch::kUInt8);
  const Tensor pens = (14 + torch::randint(-1, 2, {count, 60, 2}, torch::kLong).cumsum(1)).clamp(2, 25);
  const Tensor ink = torch::randint(128, 256, {count, 60}, torch::kUInt8);
  const Tensor image = torch::arange(count).unsqueeze(1);
  for (const int row : {-1, 0, 1})
    for (const int col : {-1, 0, 1}) images.index_put_({image, pens.select(2, 0) + row, pens.select(2, 1) + col}, ink);
  return images.view({count, 784});
}

Tensor bce(const Tensor& logits, const Tensor& targets) {
  return torch::softplus(logits).sum() - torch::dot(logits.view(-1), targets.view(-1));
}

struct Model : nn::Module {
  virtual Tensor loss(const Tensor& x) = 0;
  int64_t batch = 128;
  bool binary = false;

 protected:
  nn::Linear linear(const std::string& name, int64_t inputs, int64_t outputs) {
    return register_module(name, nn::Linear(inputs, outputs));
  }
};

struct Vae : Model {
  nn::Linear encode = linear("encode", 784, 512), moments = linear("moments", 512, 64);
  nn::Linear expand = linear("expand", 32, 512), pixels = linear("pixels", 512, 784);

  Tensor loss(const Tensor& x) override {
    const auto parts = moments(torch::relu(encode(x))).chunk(2, -1);
    const Tensor& mu = parts[0];
    const Tensor& log_var = parts[1];
    const Tensor z = torch::addcmul(mu, torch::exp(0.5 * log_var), torch::randn_like(mu));
    const Tensor logits = pixels(torch::relu(expand(z)));
    const Tensor kl = 0.5 * (mu.square() + torch::expm1(log_var) - log_var).sum();
    return (bce(logits, x) + kl) / x.size(0);
  }
};

struct Decoder : Model {
  nn::Linear expand = linear("expand", 32, 512), pixels = linear("pixels", 512, 784);

  Tensor loss(const Tensor& x) override {
    return bce(pixels(torch::relu(expand(torch::randn({x.size(0), 32})))), x) / x.size(0);
  }
};

struct Iwae : Model {
  explicit Iwae(int64_t samples_) : samples(samples_) {
    batch = 20;
    binary = true;
  }
  int64_t samples;
  nn::Linear encode1 = linear("encode1", 784, 200), encode2 = linear("encode2", 200, 200);
  nn::Linear moments = linear("moments", 200, 100), decode1 = linear("decode1", 50, 200);
  nn::Linear decode2 = linear("decode2", 200, 200), pixels = linear("pixels", 200, 784);

  Tensor loss(const Tensor& x) override {
    const auto parts = moments(torch::tanh(encode2(torch::tanh(encode1(x))))).chunk(2, -1);
    const Tensor& mu = parts[0];
    const Tensor& log_var = parts[1];
    const Tensor z = torch::addcmul(mu, torch::exp(0.5 * log_var), torch::randn({samples, x.size(0), 50}));
    const Tensor logits = pixels(torch::tanh(decode2(torch::tanh(decode1(z)))));
    const Tensor log_likelihood = (x * logits - torch::softplus(logits)).sum(-1);
    const Tensor log_ratio = 0.5 * (log_var.sum(-1) - z.square().sum(-1));
    return -torch::logsumexp(log_likelihood + log_ratio, 0).sum() / x.size(0);
  }
};

class Training {
 public:
  explicit Training(std::shared_ptr<Model> model)
      : model_(std::move(model)),
        parameters_(model_->parameters()),
        adam_(parameters_, torch::optim::AdamOptions(1e-3)) {}

  double step() {
    if (next_ + model_->batch > images_.size(0)) next_ = 0;
    if (next_ == 0) order_ = torch::randperm(images_.size(0));
    Tensor x = images_.index_select(0, order_.narrow(0, next_, model_->batch)).to(torch::kFloat).mul_(1.0 / 255);
    if (model_->binary) x = torch::rand_like(x).lt_(x);
    next_ += model_->batch;
    for (Tensor& parameter : parameters_) parameter.mutable_grad().reset();  // faster than zeros
    const Tensor loss = model_->loss(x);
    loss.backward();
    adam_.step();
    return loss.item<double>();
  }

 private:
  Tensor images_ = walks(60000);
  Tensor order_;
  int64_t next_ = 0;
  std::shared_ptr<Model> model_;
  std::vector<Tensor> parameters_;
  torch::optim::Adam adam_;
};

peers::Measurement train(std::shared_ptr<Model> model) {
  return peers::median_ms([training = std::make_shared<Training>(std::move(model))] { training->step(); });
}

/// common/chain.hpp's: relu(x * w + b), 300 times.
struct Chain {
  Tensor x = torch::full({4, 4}, 1.0).requires_grad_(), w = torch::full({4, 4}, 0.9).requires_grad_();
  Tensor b = torch::full({4, 4}, 0.1).requires_grad_(), seed = torch::ones({4, 4});

  void run() {
    Tensor y = x;
    for (int link = 0; link < 300; ++link) y = torch::relu(y * w + b);
    for (Tensor* leaf : {&x, &w, &b}) leaf->mutable_grad().reset();
    y.backward(seed);
  }
};

peers::Measurement make(const std::string& task) {
  if (task == "step vae") return train(std::make_shared<Vae>());
  if (task == "step decoder") return train(std::make_shared<Decoder>());
  if (task == "step iwae1") return train(std::make_shared<Iwae>(1));
  if (task == "step iwae5") return train(std::make_shared<Iwae>(5));
  if (task == "chain") return peers::median_ms([chain = std::make_shared<Chain>()] { chain->run(); });
  return nullptr;
}

}  // namespace

int main() {
  torch::set_num_threads(std::stoi(std::getenv("OMP_NUM_THREADS")));
  at::globalContext().setFlushDenormal(true);
  return peers::serve(make);
}
