#pragma once

#include <cmath>

#include "entry.hpp"
#include "tapegrad/ops/layer_norm.hpp"

namespace registry {

inline Array layer_norm_of(const Array& x, double eps) {
  Array y(x.shape);
  const Index cols = x.shape.cols();
  for (Index row = 0; row < x.shape.rows(); ++row) {
    double mean = 0, variance = 0;
    for (Index j = 0; j < cols; ++j) mean += x(row, j) / static_cast<double>(cols);
    for (Index j = 0; j < cols; ++j) variance += std::pow(x(row, j) - mean, 2) / static_cast<double>(cols);
    for (Index j = 0; j < cols; ++j) y(row, j) = (x(row, j) - mean) / std::sqrt(variance + eps);
  }
  return y;
}

inline Entries normalization() {
  return {
      {.name = "layer_norm",
       .shapes = {{{1}}, {{7}}, {{3, 5}}, {{2, 3, 5}}, {{5, 67}}, {{1, 1031}}, {{0, 3}}},
       .bench = {{128, 512}},
       .apply = [](auto v) { return layer_norm(v[0], v[0].shape().cols(), 0.1); },
       .reference = [](auto x) { return layer_norm_of(x[0], 0.1); },
       .bad = {{.inputs = zeros({{5, 10}}),
                .message =
                    "layer_norm: input is 5x10, features are 12; the input's last axis must have as many elements",
                .apply = [](auto v) { return layer_norm(v[0], 12); }},
               {.inputs = zeros({{}}),
                .message = "layer_norm: input is scalar, features are 1",
                .apply = [](auto v) { return layer_norm(v[0], 1); }},
               {.inputs = zeros({{5, 0}}), .message = "layer_norm: input is 5x0; a mean over nothing has no value"}},
       .extremes = {{{{1e30, -1e30}}, {1, -1}, {{0, 0}}},
                    {{{4, 4, 4}}, {0, 0, 0}, {{0, 0, 0}}},
                    {{{1, nan}}, {nan, nan}},
                    {{{1, inf}}, {nan, nan}},
                    {{{3e38, 3e38, -3e38}}, {nan, nan, nan}}}},  // infinitely far from their mean, as floats
  };
}

}  // namespace registry
