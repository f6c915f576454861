#pragma once
// Parameters of several sizes, and gradients put on them by hand.

#include <memory>

#include "tapegrad/autodiff/apply.hpp"

namespace optim_tests {

namespace tg = tapegrad;

/// Adds `gradient` to the parameter's.
inline void add_gradient(tg::Parameter& parameter, const tg::Tensor& gradient) {
  tg::Tape tape;
  tape.parameter(parameter).backward(gradient);
}

/// Owns parameters whose values are drawn from N(0, 1).
struct Parameters {
  explicit Parameters(std::initializer_list<tg::Shape> shapes) {
    for (const tg::Shape& shape : shapes) {
      tg::Tensor value(shape);
      rng.normal(value);
      owned.push_back(std::make_unique<tg::Parameter>(std::move(value)));
      all.push_back(owned.back().get());
    }
  }
  tg::Parameter& operator[](std::size_t i) { return *all[i]; }

  tg::Rng rng{7};
  std::vector<std::unique_ptr<tg::Parameter>> owned;
  std::vector<tg::Parameter*> all;
};

}  // namespace optim_tests
