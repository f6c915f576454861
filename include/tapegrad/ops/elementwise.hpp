#pragma once
// Ops of one input that treat each element alike.

#include "../autodiff/apply.hpp"
#include "../core/simd/simd.hpp"

namespace tapegrad::inline TAPEGRAD_ABI {

namespace detail {

/// What the ops of this file have in common: the result has the input's shape.
struct Elementwise {
  Shape shape(const Shape& x) const { return x; }
};

/// y = f(x) by a function of core/simd, over threads.
inline void map(void (*f)(const Scalar*, Scalar*, Index), ConstTensorView x, TensorView y) {
  parallel_for(x.size(), chunk_size, [&](Index begin, Index end) { f(x.data() + begin, y.data() + begin, end - begin); });
}

}  // namespace detail

namespace ops {

struct Tanh : detail::Elementwise {
  static constexpr const char* name = "tanh";
  void forward(ConstTensorView x, TensorView y) const { detail::map(simd::tanh, x, y); }
  void backward(ConstTensorView, ConstTensorView y, ConstTensorView dy, Gradient dx) const {
    if (dx) dx += dy.array() * (1 - y.array().square());
  }
};

}  // namespace ops

/// The hyperbolic tangent of each element.
inline Var tanh(Var x) { return apply(ops::Tanh{}, x); }

}  // namespace tapegrad::inline TAPEGRAD_ABI
