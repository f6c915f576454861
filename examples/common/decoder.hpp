#pragma once

#include <tapegrad/tapegrad.hpp>

namespace examples {

namespace tg = tapegrad;

/// The decoder that all programs train: a code z (batch, latent) becomes the logits of 784 pixels.
struct Decoder : tg::nn::Module {
  /// `owner` is the module it is part of, or the generator of its weights where it stands alone.
  Decoder(tg::nn::Module& owner, const std::string& name, int latent, int hidden)
      : Module(owner, name), expand(*this, "expand", latent, hidden), pixels(*this, "pixels", hidden, 784) {}
  Decoder(tg::Rng& rng, int latent, int hidden)
      : Module(rng), expand(*this, "expand", latent, hidden), pixels(*this, "pixels", hidden, 784) {}

  tg::Var operator()(tg::Var z) { return pixels(relu(expand(z))); }

  /// The mean of p(x|z), pixel by pixel, for codes of shape (count, latent). Records nothing.
  tg::Tensor images(tg::ConstTensorView codes) {
    tg::Tape tape;
    const auto guard = tape.no_grad();
    return tg::Tensor(sigmoid((*this)(tape.borrow(codes))).value());
  }

  tg::nn::Linear expand, pixels;
};

/// Draws from the prior N(0, I): shape (count, latent).
inline tg::Tensor draw_codes(tg::Index count, tg::Index latent, tg::Rng& rng) {
  tg::Tensor codes({count, latent});
  rng.normal(codes);
  return codes;
}

}  // namespace examples
