#pragma once

#include "floors.hpp"
#include "importance.hpp"

namespace examples {

namespace tg = tapegrad;

/// The network of Burda, Grosse and Salakhutdinov with one stochastic layer.
struct Iwae : tg::nn::Module {
  static constexpr int hidden = 200, latent = 50;

  using Module::Module;

  static tg::nn::LinearOptions glorot() {
    return {.weight_init = tg::nn::init::xavier_uniform(), .bias_init = tg::nn::init::zeros()};
  }
  tg::nn::Linear encode1{*this, "encode1", 784, hidden, glorot()};
  tg::nn::Linear encode2{*this, "encode2", hidden, hidden, glorot()};
  tg::nn::Linear mu{*this, "mu", hidden, latent, glorot()};
  tg::nn::Linear log_sigma{*this, "log_sigma", hidden, latent, glorot()};
  tg::nn::Linear decode1{*this, "decode1", latent, hidden, glorot()};
  tg::nn::Linear decode2{*this, "decode2", hidden, hidden, glorot()};
  tg::nn::Linear pixels{*this, "pixels", hidden, 784, glorot()};

  Posterior posterior(tg::Var x) {
    const tg::Var h = tanh(encode2(tanh(encode1(x))));
    return {mu(h), log_sigma(h)};
  }

  /// log p(x, z) - log q(z|x) for z = mu + sigma noise: (samples, batch) for noise (samples, batch, latent).
  tg::Var log_weights(tg::Var x, const Posterior& q, tg::Var noise) {
    const tg::Var z = q.mu + exp(q.log_sigma) * noise;
    const tg::Var logits = pixels(tanh(decode2(tanh(decode1(z)))));
    const tg::Var log_likelihood = sum(bernoulli_log_density(broadcast_to(x, logits.shape()), logits), -1);
    const tg::Var log_prior = sum(standard_normal_log_density(z), -1);
    const tg::Var log_posterior = sum(standard_normal_log_density(noise), -1) - sum(q.log_sigma, -1);
    return log_likelihood + log_prior - log_posterior;
  }

  /// The probability of each pixel of an all-zero z is that of the mean image.
  void show_mean_image(const tg::data::ImageDataset& images) {
    const Eigen::ArrayXd mean = PixelStatistics(images).mean().max(0.001).min(0.999);
    pixels.bias->mutable_value().copy_from((mean / (1 - mean)).log());
  }
};

/// Makes q(z|x) the prior in the units that are not active, and the decoder blind to them.
inline void cut_units(Iwae& model, const std::vector<bool>& active) {
  for (int unit = 0; unit < Iwae::latent; ++unit) {
    if (active[static_cast<std::size_t>(unit)]) continue;
    for (tg::nn::Linear* layer : {&model.mu, &model.log_sigma}) {
      layer->weight.mutable_value().matrix().row(unit).setZero();
      layer->bias->mutable_value()[unit] = 0;
    }
    model.decode1.weight.mutable_value().matrix().col(unit).setZero();
  }
}

}  // namespace examples
