#pragma once
// Matrix products: matmul, and linear with its bias. Both write into their targets by gemm, without temporaries.

#include "../autodiff/apply.hpp"
#include "../core/simd/simd.hpp"
#include "../gemm/gemm.hpp"

namespace tapegrad::inline TAPEGRAD_ABI {

/// Which operands of `matmul` are read transposed.
struct MatmulOptions {
  bool transpose_a = false;
  bool transpose_b = false;
};

namespace detail {

/// As gemm takes a matrix, leading axes folded into rows.
inline ConstStridedMatrix strided(ConstTensorView x, bool transposed = false) {
  const ConstStridedMatrix matrix{x.data(), x.shape().rows(), x.shape().cols(), x.shape().cols()};
  return transposed ? matrix.transposed() : matrix;
}
inline StridedMatrix strided(TensorView x) { return {x.data(), x.shape().rows(), x.shape().cols(), x.shape().cols()}; }

/// A B, which is to be added to a gradient that is wanted.
struct GradientProduct {
  Gradient gradient;
  ConstStridedMatrix a;
  ConstStridedMatrix b;

  GemmTask task() const {
    const Gradient::Target to = gradient.target();
    return {a, b, strided(to.view), to.first ? GemmStart::zero() : GemmStart::c()};
  }
};

/// Adds them to their gradients, those that are wanted. (Both factors may be the same Var: the products then are of the
/// same sizes, as gemm asks for.)
inline void contribute_products(const GradientProduct& first, const GradientProduct& second) {
  if (first.gradient && second.gradient) {
    const GemmTask task = first.task();  // before the second one's: the first contribution assigns
    gemm(task, second.task());
    return;
  }
  for (const GradientProduct& product : {first, second}) {
    if (!product.gradient) continue;
    const auto [a, b, c, start] = product.task();
    gemm(a, b, c, start);
  }
}

}  // namespace detail

namespace ops {

struct Matmul {
  static constexpr const char* name = "matmul";
  MatmulOptions transposed;

  Shape shape(const Shape& a, const Shape& b) const {
    detail::require<ShapeError>(a.rank() == 2 && b.rank() == 2, name, ": a is ", a, ", b is ", b,
                                "; both must be matrices (2 axes)");
    const int rows = transposed.transpose_a ? 1 : 0, cols = transposed.transpose_b ? 0 : 1;
    const Index inner_a = a[1 - rows], inner_b = b[1 - cols];
    detail::require<ShapeError>(inner_a == inner_b, name, ": a is ", a, transposed.transpose_a ? " (transposed)" : "",
                                ", b is ", b, transposed.transpose_b ? " (transposed)" : "", "; the inner lengths (",
                                inner_a, " and ", inner_b, ") must be equal");
    return {a[rows], b[cols]};
  }

  void forward(ConstTensorView a, ConstTensorView b, TensorView y) const {
    gemm(detail::strided(a, transposed.transpose_a), detail::strided(b, transposed.transpose_b), detail::strided(y));
  }

  void backward(ConstTensorView a, ConstTensorView b, ConstTensorView, ConstTensorView dy, Gradient da,
                Gradient db) const {
    const auto [a_flipped, b_flipped] = transposed;
    const auto of_a = detail::strided(a, !a_flipped), of_b = detail::strided(b, !b_flipped);
    const auto dy_flat = detail::strided(dy), dy_flipped = detail::strided(dy, true);
    // Of A: dY B^T; of A^T, the transpose: B dY^T. Of B: A^T dY; of B^T, the transpose: dY^T A.
    detail::contribute_products(a_flipped ? detail::GradientProduct{da, of_b.transposed(), dy_flipped}
                                          : detail::GradientProduct{da, dy_flat, of_b},
                                b_flipped ? detail::GradientProduct{db, dy_flipped, of_a.transposed()}
                                          : detail::GradientProduct{db, of_a, dy_flat});
  }
};

/// y = x W^T, or x W^T + bias.
struct Linear {
  static constexpr const char* name = "linear";

  Shape shape(const Shape& x, const Shape& weight) const {
    detail::require<ShapeError>(x.rank() >= 1 && weight.rank() == 2, name, ": input is ", x, ", weight is ", weight,
                                "; the input needs at least 1 axis, the weight 2 (out x in)");
    detail::require<ShapeError>(x[-1] == weight[1], name, ": input is ", x, ", weight is ", weight,
                                " (out x in); the input's last axis (", x[-1], ") must equal the weight's last axis (",
                                weight[1], ")");
    return x.with(-1, weight[0]);
  }
  Shape shape(const Shape& x, const Shape& weight, const Shape& bias) const {
    const Shape result = shape(x, weight);
    detail::require<ShapeError>(bias.rank() == 1 && bias[0] == weight[0], name, ": bias is ", bias, ", weight is ",
                                weight, " (out x in); the bias must have one axis of length ", weight[0]);
    return result;
  }

  void forward(ConstTensorView x, ConstTensorView weight, TensorView y) const {
    gemm(detail::strided(x), detail::strided(weight, true), detail::strided(y));
  }
  void forward(ConstTensorView x, ConstTensorView weight, ConstTensorView bias, TensorView y) const {
    gemm(detail::strided(x), detail::strided(weight, true), detail::strided(y), GemmStart::bias(bias.data()));
  }

  void backward(ConstTensorView x, ConstTensorView weight, ConstTensorView, ConstTensorView dy, Gradient dx,
                Gradient dweight) const {
    detail::contribute_products({dx, detail::strided(dy), detail::strided(weight)},
                                {dweight, detail::strided(dy, true), detail::strided(x)});
  }
  void backward(ConstTensorView x, ConstTensorView weight, ConstTensorView, ConstTensorView y, ConstTensorView dy,
                Gradient dx, Gradient dweight, Gradient dbias) const {
    if (dbias) add_column_sums(dy, dbias);  // first, while dy is still near
    backward(x, weight, y, dy, dx, dweight);
  }

 private:
  static void add_column_sums(ConstTensorView dy, Gradient dbias) {
    const Gradient::Target to = dbias.target();
    const Index rows = dy.shape().rows(), cols = dy.shape().cols();
    // Threads share columns, whole cache lines of them, so that every column is summed in order.
    const Index lines = 1 + detail::chunk_size / (1 + detail::cache_line * rows);
    parallel_for(cols, detail::cache_line * lines, [&](Index begin, Index end) {
      simd::column_sums(dy.data() + begin, rows, end - begin, cols, to.view.data() + begin, !to.first);
    });
  }
};

}  // namespace ops

/// The matrix product A B for A (m, k) and B (k, n); `{.transpose_a = true}` reads an A of (k, m), `{.transpose_b =
/// true}` a B of (n, k). Throws ShapeError unless both have two axes and the inner ones agree.
inline Var matmul(Var a, Var b, MatmulOptions transposed = {}) { return apply(ops::Matmul{transposed}, a, b); }

/// x W^T + bias for x (..., in), W (out, in) and bias (out): a tensor of (..., out). Throws ShapeError otherwise.
inline Var linear(Var x, Var weight, Var bias) { return apply(ops::Linear{}, x, weight, bias); }
/// The same without a bias.
inline Var linear(Var x, Var weight) { return apply(ops::Linear{}, x, weight); }

}  // namespace tapegrad::inline TAPEGRAD_ABI
