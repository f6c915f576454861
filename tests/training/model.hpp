#pragma once
// A small model with everything in it that a training step may meet, and images to train it on.

#include <cstddef>
#include <span>

#include "tapegrad/tapegrad.hpp"

namespace training {

namespace tg = tapegrad;

/// 28 x 28 bytes an image, many of them black, from a generator of their own.
inline tg::data::ImageDataset images(int count) {
  tg::Rng rng(99);
  std::vector<std::uint8_t> pixels(static_cast<std::size_t>(count) * 784), labels(static_cast<std::size_t>(count));
  for (auto& pixel : pixels) pixel = static_cast<std::uint8_t>(rng.below(4) == 0 ? rng.below(256) : 0);
  for (auto& label : labels) label = static_cast<std::uint8_t>(rng.below(10));
  return {pixels, count, 28, 28, std::move(labels)};
}

/// A VAE with layer normalisation and dropout in its encoder, and a classifier on its code.
struct Model : tg::nn::Module {
  using Module::Module;
  tg::nn::Linear encode{*this, "encode", 784, 200};
  tg::nn::LayerNorm normalize{*this, "normalize", 200};
  tg::nn::Dropout dropout{*this, "dropout", 0.2};
  tg::nn::Linear moments{*this, "moments", 200, 2 * 16};
  tg::nn::Linear classify{*this, "classify", 16, 10};
  tg::nn::Linear expand{*this, "expand", 16, 200};
  tg::nn::Linear pixels{*this, "pixels", 200, 784};

  tg::Var loss(tg::Var x, std::span<const tg::Index> labels, tg::Rng& rng) {
    const auto [mu, log_var] = tg::split<2>(moments(dropout(relu(normalize(encode(x))))));
    const tg::Var noise = x.tape().randn(mu.shape(), rng);
    const tg::Var z = mu + exp(0.5 * log_var) * noise;
    const tg::Var elbo = bce_with_logits(pixels(tanh(expand(z))), x) + kl_standard_normal(mu, log_var);
    return elbo / x.shape().rows() + cross_entropy(classify(mu), labels);
  }
};

/// A digest of all parameters' bits: equal digests, equal bits.
inline std::uint64_t digest(const Model& model) {
  std::uint64_t digest = 14695981039346656037u;  // FNV-1a
  for (const tg::Parameter* parameter : model.parameters()) {
    for (const std::byte byte : std::as_bytes(parameter->value().span()))
      digest = (digest ^ std::to_integer<std::uint64_t>(byte)) * 1099511628211u;
  }
  return digest;
}

/// A training run, epoch by epoch. The images must outlive it.
class Run {
 public:
  explicit Run(const tg::data::ImageDataset& images)
      : batches_(images, {.size = 50, .shuffle = &order_, .binarize = tg::data::Binarize::bernoulli}) {}

  /// One epoch; `after_step()` is called after each step.
  template <class AfterStep>
  void epoch(const AfterStep& after_step) {
    for (const auto& batch : batches_) {
      tape.reset();
      const tg::Var loss = model.loss(tape.constant(batch.images), batch.labels, noise_);
      adam_.zero_grad();
      loss.backward();
      tg::optim::clip_grad_norm(parameters_, 100);
      adam_.step();
      after_step();
    }
  }

  tg::Tape tape;

 private:
  tg::Rng weights_{1}, order_{2}, noise_{3};

 public:
  Model model{weights_};

 private:
  std::vector<tg::Parameter*> parameters_ = model.parameters();
  tg::optim::Adam adam_{parameters_, {.lr = 1e-3, .weight_decay = 1e-4}};
  tg::data::Batches<tg::data::ImageDataset> batches_;
};

}  // namespace training
