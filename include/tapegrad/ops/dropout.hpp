#pragma once

#include "../autodiff/apply.hpp"
#include "select.hpp"

namespace tapegrad::inline TAPEGRAD_ABI {

namespace ops {

/// y = x / (1 - p) where the mask is 1, else 0; the mask is kept for backward.
struct Dropout {
  static constexpr const char* name = "dropout";
  double p;
  Rng* rng;  // for forward only: backward may come when it is gone

  /// p as it is. Throws ValueError unless it is in [0, 1).
  static double checked(double p) {
    detail::require<ValueError>(p >= 0 && p < 1, name, ": got p = ", p, "; it must be in [0, 1)");
    return p;
  }
  Shape shape(const Shape& x) const {
    checked(p);
    return x;
  }
  Shape saved(const Shape& x) const { return x; }
  void forward(ConstTensorView x, TensorView y, TensorView mask) const {
    rng->bernoulli(mask, 1 - p);
    detail::each(y, Kept{scale()}, x, mask);
  }
  void backward(ConstTensorView, ConstTensorView, ConstTensorView mask, ConstTensorView dy, Gradient dx) const {
    detail::contribute(dx, Kept{scale()}, dy, mask);
  }

 private:
  struct Kept {
    Scalar scale;
    Four operator()(const Four& x, const Four& mask) const { return detail::where_positive(mask, x * scale); }
  };
  Scalar scale() const { return static_cast<Scalar>(1 / (1 - p)); }
};

}  // namespace ops

/// Each element is 0 with probability p, else divided by 1 - p, so that the mean stays; drawn from `rng`. With p = 0 it
/// is x itself, and nothing is drawn. Throws ValueError unless p is in [0, 1). (Srivastava et al. 2014)
inline Var dropout(Var x, double p, Rng& rng) { return p == 0 ? x : apply(ops::Dropout{p, &rng}, x); }

}  // namespace tapegrad::inline TAPEGRAD_ABI
