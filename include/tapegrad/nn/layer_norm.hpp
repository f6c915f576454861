#pragma once

#include <optional>
#include <string>
#include <utility>

#include "../ops/arithmetic.hpp"
#include "../ops/layer_norm.hpp"
#include "../ops/options.hpp"
#include "module.hpp"

namespace tapegrad::inline TAPEGRAD_ABI::nn {

/// Options of LayerNorm.
struct LayerNormOptions {
  double eps = 1e-5;  ///< added to the variance
  /// Scales and shifts what was normalised, by a weight (ones at first) and a bias (zeros).
  bool elementwise_affine = true;
};

/// Layer normalisation over the last axis, which has `features` elements.
class LayerNorm : public Layer {
 public:
  /// Throws ValueError unless there is at least one feature, and eps is positive and finite.
  LayerNorm(Module& parent, std::string name, Index features, const LayerNormOptions& options = {})
      : Layer(parent, std::move(name)), features_(features), options_(checked(options)) {}
  LayerNorm(Rng& rng, Index features, const LayerNormOptions& options = {})
      : Layer(rng), features_(features), options_(checked(options)) {}

  Var forward(Var x) override {
    const Var normal = layer_norm(x, features_, options_.eps);
    return weight ? normal * x.tape().parameter(*weight) + x.tape().parameter(*bias) : normal;
  }

 private:
  LayerNormOptions checked(const LayerNormOptions& options) const {
    detail::require<ValueError>(features_ > 0, "layer_norm: got ", features_, " features; there must be at least 1");
    detail::positive("layer_norm", "eps", options.eps);
    return options;
  }
  std::optional<Parameter> parameter(const char* name, const Init& init) {
    if (!options_.elementwise_affine) return std::nullopt;
    return std::optional<Parameter>(std::in_place, *this, name, Shape{features_}, init);
  }

  Index features_;
  LayerNormOptions options_;

 public:
  /// (features); empty without `elementwise_affine`, and so is the bias.
  std::optional<Parameter> weight = parameter("weight", init::ones());
  std::optional<Parameter> bias = parameter("bias", init::zeros());
};

}  // namespace tapegrad::inline TAPEGRAD_ABI::nn
