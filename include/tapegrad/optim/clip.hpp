#pragma once
// Limits to gradients, between backward() and the optimizer's step(). Parameters without a gradient do not count.

#include <cmath>
#include <span>

#include "../autodiff/parameter.hpp"
#include "../core/simd/simd.hpp"
#include "../ops/select.hpp"
#include "finite.hpp"

namespace tapegrad::inline TAPEGRAD_ABI::optim {

/// Options of clip_grad_norm.
struct ClipGradNormOptions {
  bool error_if_nonfinite = true;  ///< false: scale all the same, as PyTorch does by default; NaN spreads
};

/// Scales all gradients by one factor so that their norm, as of one long vector, is at most `max_norm`, and returns the
/// norm from before. Throws ValueError for a null pointer, a negative or NaN max_norm, and, unless told otherwise, a
/// norm that is not finite.
inline double clip_grad_norm(std::span<Parameter* const> parameters, double max_norm,
                             const ClipGradNormOptions& options = {}) {
  detail::require<ValueError>(max_norm >= 0, "clip_grad_norm: max_norm = ", max_norm,
                              "; it must be a number and not negative");
  detail::require_no_null("clip_grad_norm", parameters);
  double sum = 0;
  for (const Parameter* parameter : parameters)
    if (parameter->has_grad()) {
      const Scalar* g = parameter->grad().data();
      sum += parallel_sum(parameter->size(), detail::chunk_size,
                          [=](Index begin, Index end) { return simd::sum_of_squares(g + begin, end - begin); });
    }
  const double norm = std::sqrt(sum);
  if (!std::isfinite(norm) && options.error_if_nonfinite) {
    for (std::size_t i = 0; i < parameters.size(); ++i)
      if (parameters[i]->has_grad()) detail::require_finite_gradient("clip_grad_norm", *parameters[i], i);
    throw ValueError(detail::concat("clip_grad_norm: the norm is ", norm, "; it must be finite"));  // doubles overflow
  }
  const double factor = max_norm / (norm + 1e-6);  // PyTorch's
  if (factor >= 1) return norm;
  for (Parameter* parameter : parameters)
    if (parameter->has_grad()) {
      const TensorView gradient = parameter->mutable_grad();
      detail::each(
          gradient, [scale = static_cast<Scalar>(factor)](const detail::Four& g) { return g * scale; }, gradient);
    }
  return norm;
}

/// Moves every element of every gradient into [-limit, limit]; NaN stays NaN (Optimizer::set_error_if_nonfinite refuses
/// it). Throws ValueError for a null pointer, and unless the limit is positive.
inline void clip_grad_value(std::span<Parameter* const> parameters, double limit) {
  const auto most = static_cast<Scalar>(limit);  // 1e-50 is 0 as a float
  detail::require<ValueError>(most > 0, "clip_grad_value: limit = ", most, "; it must be positive");
  detail::require_no_null("clip_grad_value", parameters);
  for (Parameter* parameter : parameters)
    if (parameter->has_grad()) {
      const TensorView gradient = parameter->mutable_grad();
      const auto clipped = [=](const detail::Four& g) { return detail::at_most(detail::at_least(g, -most), most); };
      detail::each(gradient, clipped, gradient);
    }
}

}  // namespace tapegrad::inline TAPEGRAD_ABI::optim
