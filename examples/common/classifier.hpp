#pragma once

#include <tapegrad/tapegrad.hpp>

namespace examples {

namespace tg = tapegrad;

/// A multilayer perceptron that tells digits apart: 784, two hidden layers, 10.
struct Classifier : tg::nn::Module {
  Classifier(tg::Rng& rng, tg::Index hidden, double dropout)
      : Module(rng),
        first(*this, "first", 784, hidden),
        first_dropout(*this, "first_dropout", dropout),
        second(*this, "second", hidden, hidden),
        second_dropout(*this, "second_dropout", dropout),
        output(*this, "output", hidden, 10) {}

  /// What it has made of images before it decides: the second hidden layer, (batch, hidden).
  tg::Var features(tg::Var x) {
    const tg::Var hidden = first_dropout(relu(first(x)));
    return second_dropout(relu(second(hidden)));
  }

  tg::Var operator()(tg::Var x) { return output(features(x)); }

  tg::nn::Linear first;
  tg::nn::Dropout first_dropout;
  tg::nn::Linear second;
  tg::nn::Dropout second_dropout;
  tg::nn::Linear output;
};

}  // namespace examples
