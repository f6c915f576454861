#pragma once
// What is said of gradients that are no numbers.

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "../autodiff/parameter.hpp"

namespace tapegrad::inline TAPEGRAD_ABI::detail {

/// Throws ValueError, which `who` says, if the gradient of parameter number i has an element that is not finite.
inline void require_finite_gradient(const char* who, const Parameter& parameter, std::size_t i) {
  const auto gradient = parameter.grad().span();
  const auto bad = std::ranges::find_if_not(gradient, [](Scalar x) { return std::isfinite(x); });
  if (bad == gradient.end()) return;
  fail<ValueError>({who, ": the gradient of ", described(parameter, i), " has ", *bad, " as its element ",
                    bad - gradient.begin(), "; nothing was changed. Tape::detect_anomaly() finds the op that made it, ",
                    "unless it came with data or weights"});
}

}  // namespace tapegrad::inline TAPEGRAD_ABI::detail
