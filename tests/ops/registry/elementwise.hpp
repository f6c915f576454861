#pragma once
// Ops of one input that treat each element alike.

#include <cmath>
#include <tapegrad/ops/elementwise.hpp>

#include "entry.hpp"

namespace registry {

inline Entries elementwise() {
  return {
      {.name = "tanh",
       .apply = [](auto v) { return tanh(v[0]); },
       .pointwise = [](auto x) { return std::tanh(x[0]); },
       .extremes = {{{{-inf, -100, 0, 100, inf, nan}}, {-1, -1, 0, 1, 1, nan}, {{0, 0, 1, 0, 0, nan}}}}},
  };
}

}  // namespace registry
