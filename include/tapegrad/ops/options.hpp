#pragma once
// Options of ops that are numbers. Users give doubles; what must be right is the Scalar that the op computes with: as a
// float 1e39 is infinite, and 1e-50 is 0.

#include <cmath>

#include "../core/error.hpp"

namespace tapegrad::inline TAPEGRAD_ABI::detail {

/// The value as a Scalar. Throws ValueError unless that is finite.
inline Scalar finite(const char* op, const char* option, double value) {
  const auto scalar = static_cast<Scalar>(value);
  require<ValueError>(std::isfinite(scalar), op, ": ", option, " is ", scalar, "; it must be finite");
  return scalar;
}

/// The value as a Scalar. Throws ValueError unless that is positive and finite.
inline Scalar positive(const char* op, const char* option, double value) {
  const auto scalar = static_cast<Scalar>(value);
  require<ValueError>(scalar > 0 && std::isfinite(scalar), op, ": ", option, " is ", scalar,
                      "; it must be positive and finite");
  return scalar;
}

}  // namespace tapegrad::inline TAPEGRAD_ABI::detail
