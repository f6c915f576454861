#pragma once
// The models whose training is measured, and one step of it.

#include <algorithm>
#include <array>
#include <memory>
#include <string_view>
#include <tapegrad/tapegrad.hpp>

#include "images.hpp"

namespace bench {

namespace tg = tapegrad;

/// Operations of a layer's products in a step: forward, the weight's gradient, and the input's where it is wanted.
inline double operations(const tg::nn::Linear& layer, tg::Index rows, bool input_gradient = true) {
  return (input_gradient ? 6.0 : 4.0) * static_cast<double>(rows * layer.in_features() * layer.out_features());
}

/// 784-512-2x32 / 32-512-784: the quickstart's.
struct Vae : tg::nn::Module {
  using Module::Module;
  tg::nn::Linear encode{*this, "encode", 784, 512};
  tg::nn::Linear moments{*this, "moments", 512, 2 * 32};
  tg::nn::Linear expand{*this, "expand", 32, 512};
  tg::nn::Linear pixels{*this, "pixels", 512, 784};

  tg::Var loss(tg::Var x, tg::Rng& rng) {
    const auto [mu, log_var] = tg::split<2>(moments(relu(encode(x))));
    const tg::Var z = mu + exp(0.5 * log_var) * x.tape().randn(mu.shape(), rng);
    const tg::Var logits = pixels(relu(expand(z)));
    return (bce_with_logits(logits, x) + kl_standard_normal(mu, log_var)) / x.shape().rows();
  }
  double operations(tg::Index batch) const {
    return bench::operations(encode, batch, false) + bench::operations(moments, batch) +
           bench::operations(expand, batch) + bench::operations(pixels, batch);
  }
};

/// 32-512-784: the same decoder, trained without an encoder.
struct Decoder : tg::nn::Module {
  using Module::Module;
  tg::nn::Linear expand{*this, "expand", 32, 512};
  tg::nn::Linear pixels{*this, "pixels", 512, 784};

  tg::Var loss(tg::Var x, tg::Rng& rng) {
    const tg::Var z = x.tape().randn({x.shape().rows(), 32}, rng);
    return bce_with_logits(pixels(relu(expand(z))), x) / x.shape().rows();
  }
  double operations(tg::Index batch) const {
    return bench::operations(expand, batch, false) + bench::operations(pixels, batch);
  }
};

/// The protocol of Burda, Grosse and Salakhutdinov (Importance weighted autoencoders, 2016): 784-200-200-2x50 /
/// 50-200-200-784, tanh, and a bound of `samples` draws for each image. What does not depend on weights is left out.
template <int samples>
struct Iwae : tg::nn::Module {
  using Module::Module;
  tg::nn::Linear encode1{*this, "encode1", 784, 200};
  tg::nn::Linear encode2{*this, "encode2", 200, 200};
  tg::nn::Linear moments{*this, "moments", 200, 2 * 50};
  tg::nn::Linear decode1{*this, "decode1", 50, 200};
  tg::nn::Linear decode2{*this, "decode2", 200, 200};
  tg::nn::Linear pixels{*this, "pixels", 200, 784};

  tg::Var loss(tg::Var x, tg::Rng& rng) {
    const auto [mu, log_var] = tg::split<2>(moments(tanh(encode2(tanh(encode1(x))))));
    const tg::Var noise = x.tape().randn({samples, x.shape().rows(), 50}, rng);
    const tg::Var z = mu + exp(0.5 * log_var) * noise;
    const tg::Var a = pixels(tanh(decode2(tanh(decode1(z)))));
    const tg::Var log_likelihood = sum(bernoulli_log_density(broadcast_to(x, a.shape()), a), -1);
    const tg::Var log_ratio = 0.5 * (sum(log_var, -1) - sum(square(z), -1));  // of prior and posterior
    return -sum(logsumexp(log_likelihood + log_ratio, 0)) / x.shape().rows();
  }
  double operations(tg::Index batch) const {
    return bench::operations(encode1, batch, false) + bench::operations(encode2, batch) +
           bench::operations(moments, batch) + bench::operations(decode1, samples * batch) +
           bench::operations(decode2, samples * batch) + bench::operations(pixels, samples * batch);
  }
};

/// A model in training, one step after another, epoch after epoch.
class Training {
 public:
  virtual ~Training() = default;
  /// Gathers a batch, computes the loss and its gradients, updates the parameters. Returns the loss.
  virtual double step() = 0;

  tg::Tape tape;
  tg::Index batch_size = 0;
  tg::Index steps_per_epoch = 0;
  double operations = 0;  ///< of the matrix products in a step
};

template <class Model>
class ModelTraining : public Training {
 public:
  ModelTraining(tg::Index batch, tg::data::Binarize binarize)
      : batches_(images_, {.size = batch, .shuffle = &rng_, .drop_last = true, .binarize = binarize}) {
    batch_size = batch;
    steps_per_epoch = batches_.count();
    operations = model_.operations(batch);
  }

  double step() override {
    if (next_ == batches_.end()) next_ = batches_.begin();
    tape.reset();
    const tg::Var loss = model_.loss(tape.borrow(next_->images), rng_);
    adam_.zero_grad();
    loss.backward();
    adam_.step();
    ++next_;
    return loss.item();
  }

 private:
  tg::Rng rng_{42};
  tg::data::ImageDataset images_ = walks(60000, tg::Rng(1));
  tg::data::Batches<tg::data::ImageDataset> batches_;
  decltype(batches_.begin()) next_ = batches_.begin();
  Model model_{rng_};
  tg::optim::Adam adam_{model_.parameters(), {.lr = 1e-3}};
};

inline constexpr std::array<std::string_view, 4> model_names{"vae", "decoder", "iwae1", "iwae5"};

/// Throws ValueError unless it is one of `model_names`.
inline void check_model(const std::string& name) {
  if (std::ranges::find(model_names, name) == model_names.end())
    throw tg::ValueError("no model " + name + "; there are vae, decoder, iwae1 and iwae5");
}

/// The training of one of `model_names`. Throws ValueError for another name.
inline std::unique_ptr<Training> make_training(const std::string& name) {
  using tg::data::Binarize;
  check_model(name);
  if (name == "vae") return std::make_unique<ModelTraining<Vae>>(128, Binarize::none);
  if (name == "decoder") return std::make_unique<ModelTraining<Decoder>>(128, Binarize::none);
  if (name == "iwae1") return std::make_unique<ModelTraining<Iwae<1>>>(20, Binarize::bernoulli);
  return std::make_unique<ModelTraining<Iwae<5>>>(20, Binarize::bernoulli);
}

}  // namespace bench
