#pragma once
// Layer normalisation (Ba, Kiros, Hinton 2016) over the last axis.

#include <cmath>

#include "../autodiff/apply.hpp"
#include "../core/simd/simd.hpp"
#include "blocks.hpp"
#include "options.hpp"

namespace tapegrad::inline TAPEGRAD_ABI {

namespace ops {

/// y = (x - mean) / sqrt(variance + eps), both over the last axis; the variance is the biased one, as in PyTorch.
struct LayerNorm {
  static constexpr const char* name = "layer_norm";
  Index features;
  double eps;

  Shape shape(const Shape& x) const {
    detail::require<ShapeError>(x.rank() > 0 && x.cols() == features, name, ": input is ", x, ", features are ",
                                features, "; the input's last axis must have as many elements");
    detail::require<ShapeError>(features > 0, name, ": input is ", x,
                                "; a mean over nothing has no value: features must be at least 1");
    return x;
  }
  /// 1 / sqrt(variance + eps) of each row.
  Shape saved(const Shape& x) const { return {x.rows()}; }

  void forward(ConstTensorView x, TensorView y, TensorView inverse_std) const {
    const Index n = features;
    detail::for_rows(x.shape().rows(), n, [&](Index row) {
      const Scalar* const from = x.data() + row * n;
      Scalar* const to = y.data() + row * n;
      // The mean as two Scalars: rounded to one, it would be off by more than the small differences of large numbers.
      const double exact = simd::sum(from, n) / static_cast<double>(n);
      const auto mean = static_cast<Scalar>(exact), rest = static_cast<Scalar>(exact - double{mean});
      detail::each(
          to, n, [=](const Four& a) { return a - mean - rest; }, from);
      const double variance = simd::sum_of_squares(to, n) / static_cast<double>(n);
      const auto scale = static_cast<Scalar>(1 / std::sqrt(variance + eps) + 0 * variance);  // infinite: NaN, not 0
      detail::each(
          to, n, [=](const Four& a) { return a * scale; }, to);
      inverse_std.data()[row] = scale;
    });
  }

  void backward(ConstTensorView x, ConstTensorView y, ConstTensorView inverse_std, ConstTensorView dy,
                Gradient dx) const {
    if (!dx) return;
    const Gradient::Target target = dx.target();
    const Index n = features;
    detail::for_rows(x.shape().rows(), n, [&](Index row) {
      const Scalar *const normal = y.data() + row * n, *const slope = dy.data() + row * n;
      const auto mean = static_cast<Scalar>(simd::sum(slope, n) / static_cast<double>(n));
      const auto along = static_cast<Scalar>(simd::dot(slope, normal, n) / static_cast<double>(n));
      const auto rest = [=, scale = inverse_std.data()[row]](const Four& g, const Four& r) {
        return scale * (g - mean - r * along);
      };
      detail::put(target.view.data() + row * n, n, target.first, rest, slope, normal);
    });
  }
};

}  // namespace ops

/// Normalises the last axis, of `features` elements, to mean 0 and variance 1: what nn::LayerNorm scales and shifts.
/// Throws ShapeError for another length, ValueError unless eps is positive and finite.
inline Var layer_norm(Var x, Index features, double eps = 1e-5) {
  detail::positive("layer_norm", "eps", eps);  // as a Scalar too: 1 / sqrt(1e-80) would be infinite
  return apply(ops::LayerNorm{features, eps}, x);
}

}  // namespace tapegrad::inline TAPEGRAD_ABI
