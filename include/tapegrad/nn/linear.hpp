#pragma once

#include <cmath>
#include <optional>
#include <string>
#include <utility>

#include "../ops/matmul.hpp"
#include "module.hpp"

namespace tapegrad::inline TAPEGRAD_ABI::nn {

/// Options of Linear.
struct LinearOptions {
  bool bias = true;
  Init weight_init = {};  ///< if empty: uniform within 1 / sqrt(in) of zero, as PyTorch does
  Init bias_init = {};    ///< if empty: the same
};

/// y = x W^T + b for x of shape (..., in): y has shape (..., out). The weight is (out, in), as in PyTorch.
class Linear : public Layer {
 public:
  /// Throws ValueError unless there is at least one feature on either side.
  Linear(Module& parent, std::string name, Index in_features, Index out_features, LinearOptions options = {})
      : Layer(parent, std::move(name)), in_(in_features), out_(out_features), options_(checked(std::move(options))) {}
  Linear(Rng& rng, Index in_features, Index out_features, LinearOptions options = {})
      : Layer(rng), in_(in_features), out_(out_features), options_(checked(std::move(options))) {}

  Var forward(Var x) override {
    Tape& tape = x.tape();
    return bias ? linear(x, tape.parameter(weight), tape.parameter(*bias)) : linear(x, tape.parameter(weight));
  }

  Index in_features() const { return in_; }
  Index out_features() const { return out_; }

 private:
  LinearOptions checked(LinearOptions options) const {
    detail::require<ValueError>(in_ > 0 && out_ > 0, "linear: got ", in_, " features in and ", out_,
                                " out; both must be at least 1");
    const double bound = 1 / std::sqrt(static_cast<double>(in_));
    if (!options.weight_init) options.weight_init = init::uniform(-bound, bound);
    if (!options.bias_init) options.bias_init = init::uniform(-bound, bound);
    return options;
  }

  Index in_;
  Index out_;
  LinearOptions options_;

 public:
  /// (out, in).
  Parameter weight{*this, "weight", Shape{out_, in_}, options_.weight_init};
  /// (out); empty if it was left out.
  std::optional<Parameter> bias =
      options_.bias ? std::optional<Parameter>(std::in_place, *this, "bias", Shape{out_}, options_.bias_init)
                    : std::nullopt;
};

}  // namespace tapegrad::inline TAPEGRAD_ABI::nn
