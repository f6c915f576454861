#pragma once

#include <string>
#include <utility>

#include "../ops/dropout.hpp"
#include "module.hpp"

namespace tapegrad::inline TAPEGRAD_ABI::nn {

/// While it trains: sets each element to zero with probability `p` and divides the others by 1 - p. After `eval()` it
/// passes its input on. The masks come from the layer's own `rng()`.
class Dropout : public Layer {
 public:
  /// Throws ValueError unless p is in [0, 1).
  explicit Dropout(Rng& rng, double p = 0.5) : Layer(rng), p_(ops::Dropout::checked(p)) {}
  Dropout(Module& parent, std::string name, double p = 0.5)
      : Layer(parent, std::move(name)), p_(ops::Dropout::checked(p)) {}

  Var forward(Var x) override { return training() ? dropout(x, p_, rng()) : x; }

 private:
  double p_;
};

}  // namespace tapegrad::inline TAPEGRAD_ABI::nn
