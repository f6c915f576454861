#pragma once

#include <cmath>
#include <tapegrad/ops/activations.hpp>

#include "entry.hpp"

namespace registry {

inline Entries activations() {
  return {
      {.name = "sigmoid",
       .apply = [](auto v) { return sigmoid(v[0]); },
       .pointwise = [](auto x) { return 1 / (1 + std::exp(-x[0])); },
       .extremes = {{{{-inf, -1000, 0, 1000, inf, nan}}, {0, 0, 0.5, 1, 1, nan}, {{0, 0, 0.25, 0, 0, nan}}}}},
      {.name = "relu",
       .draws = {anywhere({0})},
       .apply = [](auto v) { return relu(v[0]); },
       .pointwise = [](auto x) { return x[0] > 0 ? x[0] : 0; },
       .extremes = {{{{-inf, -1, 0, 1, inf, nan}}, {0, 0, 0, 1, inf, nan}, {{0, 0, 0, 1, 1, 1}}}}},
      {.name = "leaky_relu",
       .draws = {anywhere({0})},
       .apply = [](auto v) { return leaky_relu(v[0]); },
       .pointwise = [](auto x) { return x[0] > 0 ? x[0] : 0.01 * x[0]; },
       .bad = {{zeros({{3}}), "leaky_relu: negative_slope is inf; it must be finite",
                [](auto v) { return leaky_relu(v[0], inf); }}},
       .extremes = {{{{-inf, -1, 0, 1, inf}}, {-inf, -0.01, 0, 1, inf}, {{0.01, 0.01, 0.01, 1, 1}}}, {{{nan}}, {nan}}}},
      {.name = "leaky_relu",
       .variant = "slope 0.2",
       .draws = {anywhere({0})},
       .apply = [](auto v) { return leaky_relu(v[0], 0.2); },
       .pointwise = [](auto x) { return x[0] > 0 ? x[0] : 0.2 * x[0]; }},
      {.name = "leaky_relu",
       .variant = "slope 0",
       .draws = {anywhere({0})},
       .apply = [](auto v) { return leaky_relu(v[0], 0); },
       .pointwise = [](auto x) { return x[0] > 0 ? x[0] : 0; },
       .extremes = {{{{-inf, -1, 0, inf}}, {0, 0, 0, inf}, {{0, 0, 0, 1}}}, {{{nan}}, {nan}}}},
      {.name = "elu",
       .draws = {anywhere({0})},
       .apply = [](auto v) { return elu(v[0]); },
       .pointwise = [](auto x) { return x[0] > 0 ? x[0] : std::expm1(x[0]); },
       .bad = {{zeros({{3}}), "elu: alpha is nan; it must be finite", [](auto v) { return elu(v[0], nan); }}},
       .extremes = {{{{-inf, -1000, -20, -1e-20, 0, 1000, inf, nan}},
                     {-1, -1, -1, -1e-20, 0, 1000, inf, nan},
                     {{0, 0, std::exp(-20), 1, 1, 1, 1, nan}}}}},
      {.name = "elu",
       .variant = "alpha 0.5",
       .draws = {anywhere({0})},
       .apply = [](auto v) { return elu(v[0], 0.5); },
       .pointwise = [](auto x) { return x[0] > 0 ? x[0] : 0.5 * std::expm1(x[0]); }},
      {.name = "softplus",
       .apply = [](auto v) { return softplus(v[0]); },
       .pointwise = [](auto x) { return std::log1p(std::exp(x[0])); },
       .extremes = {{{{-inf, -1000, 0, 1000, inf, nan}},
                     {0, 0, std::log(2.0), 1000, inf, nan},
                     {{0, 0, 0.5, 1, 1, nan}}}}},
      {.name = "silu",
       .apply = [](auto v) { return silu(v[0]); },
       .pointwise = [](auto x) { return x[0] / (1 + std::exp(-x[0])); },
       .extremes = {{{{-inf, -1e30, 0, 1e30, inf, nan}}, {0, 0, 0, 1e30, inf, nan}, {{0, 0, 0.5, 1, 1, nan}}}}},
      {.name = "gelu",
       .apply = [](auto v) { return gelu(v[0]); },
       .pointwise = [](auto x) { return x[0] * (1 + std::erf(x[0] / std::sqrt(2))) / 2; },
       .extremes = {{{{-inf, -1e30, 0, 1e30, inf, nan}}, {0, 0, 0, 1e30, inf, nan}, {{0, 0, 0.5, 1, 1, nan}}}}},
      {.name = "gelu",
       .variant = "by tanh",
       .apply = [](auto v) { return gelu(v[0], tapegrad::Gelu::tanh); },
       .pointwise =
           [](auto x) {
             return x[0] * (1 + std::tanh(std::sqrt(2 / std::acos(-1)) * (x[0] + 0.044715 * std::pow(x[0], 3)))) / 2;
           },
       .extremes = {{{{-inf, -1e30, 0, 1e30, inf, nan}}, {0, 0, 0, 1e30, inf, nan}, {{0, 0, 0.5, 1, 1, nan}}}}},
  };
}

}  // namespace registry
