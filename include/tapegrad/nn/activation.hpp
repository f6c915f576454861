#pragma once
// The activation functions as layers, for Sequential; elsewhere the functions themselves (relu(x), ...) are shorter.

#include <string>
#include <utility>

#include "../ops/activations.hpp"
#include "module.hpp"

namespace tapegrad::inline TAPEGRAD_ABI::nn {

/// max(x, 0) of each element.
class ReLU : public Layer {
 public:
  using Layer::Layer;
  Var forward(Var x) override { return relu(x); }
};

/// x where it is positive, else x times a slope.
class LeakyReLU : public Layer {
 public:
  /// Throws ValueError unless the slope is finite.
  explicit LeakyReLU(Rng& rng, double negative_slope = 0.01)
      : Layer(rng), slope_(ops::LeakyRelu::checked(negative_slope)) {}
  LeakyReLU(Module& parent, std::string name, double negative_slope = 0.01)
      : Layer(parent, std::move(name)), slope_(ops::LeakyRelu::checked(negative_slope)) {}
  Var forward(Var x) override { return leaky_relu(x, slope_); }

 private:
  Scalar slope_;
};

/// x where it is positive, else alpha (e^x - 1).
class ELU : public Layer {
 public:
  /// Throws ValueError unless alpha is finite.
  explicit ELU(Rng& rng, double alpha = 1) : Layer(rng), alpha_(ops::Elu::checked(alpha)) {}
  ELU(Module& parent, std::string name, double alpha = 1)
      : Layer(parent, std::move(name)), alpha_(ops::Elu::checked(alpha)) {}
  Var forward(Var x) override { return elu(x, alpha_); }

 private:
  Scalar alpha_;
};

/// 1 / (1 + e^-x) of each element.
class Sigmoid : public Layer {
 public:
  using Layer::Layer;
  Var forward(Var x) override { return sigmoid(x); }
};

/// tanh x of each element.
class Tanh : public Layer {
 public:
  using Layer::Layer;
  Var forward(Var x) override { return tanh(x); }
};

/// ln(1 + e^x) of each element.
class Softplus : public Layer {
 public:
  using Layer::Layer;
  Var forward(Var x) override { return softplus(x); }
};

/// x sigmoid(x) of each element.
class SiLU : public Layer {
 public:
  using Layer::Layer;
  Var forward(Var x) override { return silu(x); }
};

/// x times the normal distribution's function at x, of each element.
class GELU : public Layer {
 public:
  explicit GELU(Rng& rng, Gelu form = Gelu::exact) : Layer(rng), form_(form) {}
  GELU(Module& parent, std::string name, Gelu form = Gelu::exact) : Layer(parent, std::move(name)), form_(form) {}
  Var forward(Var x) override { return gelu(x, form_); }

 private:
  Gelu form_;
};

}  // namespace tapegrad::inline TAPEGRAD_ABI::nn
