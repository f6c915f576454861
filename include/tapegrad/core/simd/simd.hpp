#pragma once
// The loops that matter beside the matrix product, on plain pointers. Each is compiled for every instruction set by
// function attributes and picked once at run time (isa.hpp), whatever flags the user compiles with.
//
// All work on a contiguous range and on the calling thread: callers share the work by `parallel_for`, whose chunks do
// not depend on the number of threads. In float the bits are the same with AVX2 and with AVX-512; the portable loops
// round twice where the compiler's flags have no fused multiply-add. In double the functions of single numbers
// call std::'s. An output may be the same array as an input, but may not overlap it otherwise. n may be 0.

#include <cstdint>

#include "../config.hpp"

namespace tapegrad::inline TAPEGRAD_ABI::simd {

// ---- functions of one element (math.hpp): y[i] = f(x[i]) ------------------------------------------------------------
// Special values are those of std::, but results that would be subnormal may be 0, and so may exp's, log's or tanh's
// reading of a subnormal argument be that of the nearest normal number or 0.

void exp(const Scalar* x, Scalar* y, Index n);
void log(const Scalar* x, Scalar* y, Index n);
void log1p(const Scalar* x, Scalar* y, Index n);
void expm1(const Scalar* x, Scalar* y, Index n);
void tanh(const Scalar* x, Scalar* y, Index n);
/// 1 / (1 + exp(-x)), without overflow; exactly 0.5 at 0.
void sigmoid(const Scalar* x, Scalar* y, Index n);
/// log(1 + exp(x)), without overflow.
void softplus(const Scalar* x, Scalar* y, Index n);

// ---- reductions (reduce.hpp) ----------------------------------------------------------------------------------------
// Sums are kept in double, in a fixed number of lanes that a fixed tree adds up: the result is a function of the
// numbers and of n alone. Add the sums of chunks in the order of the chunks.

double sum(const Scalar* x, Index n);
double sum_of_squares(const Scalar* x, Index n);
double dot(const Scalar* x, const Scalar* y, Index n);
/// The largest element; NaN if there is one; -infinity for n = 0.
Scalar max(const Scalar* x, Index n);
/// Whether all elements are in [0, 1]; NaN is not.
bool in_unit_interval(const Scalar* x, Index n);
/// out[j] = sum over i of x[i * stride + j], for j < cols, over `divisor`, and then rounded; added to out[j] if `add`.
/// (The gradient of a bias: share it over threads by columns.)
void column_sums(const Scalar* x, Index rows, Index cols, Index stride, Scalar* out, bool add = false,
                 double divisor = 1);

// ---- binary cross-entropy of logits a and targets t (bce.hpp) -------------------------------------------------------

/// y = softplus(a) - t * a, in the form that neither overflows nor cancels.
void bce_with_logits(const Scalar* a, const Scalar* t, Scalar* y, Index n);
/// The sum of the same over the range.
double bce_with_logits_sum(const Scalar* a, const Scalar* t, Index n);
/// da = (sigmoid(a) - t) * scale. At a = 0 it is exactly (0.5 - t) * scale.
void bce_with_logits_backward(const Scalar* a, const Scalar* t, Scalar scale, Scalar* da, Index n);

// ---- Adam and AdamW (adam.hpp) --------------------------------------------------------------------------------------

/// One step of Adam, its corrections folded into numbers (t counts from 1):
///   g += l2 * p;  m = beta1 * m + (1 - beta1) * g;  v = beta2 * v + (1 - beta2) * g * g
///   p = keep * p - step * m / (root_scale * sqrt(v) + eps)
/// PyTorch's form is step = lr / (1 - beta1^t), root_scale = 1 / sqrt(1 - beta2^t). Kingma and Ba's (2015, end of their
/// section 2), where epsilon is not corrected, is step = lr * sqrt(1 - beta2^t) / (1 - beta1^t), root_scale = 1.
struct AdamStep {
  double beta1 = 0.9;
  double beta2 = 0.999;
  double step = 1e-3;
  double root_scale = 1;
  double eps = 1e-8;
  double l2 = 0;        ///< weight decay that is added to the gradient (Adam's)
  double keep = 1;      ///< 1 - lr * weight_decay for decoupled decay (AdamW's)
  bool shared = false;  ///< whether other threads read p too: a hint
};
/// Updates p, m and v in one pass. Moments that decay below the normal numbers become 0: each operation on a
/// subnormal costs a hundred cycles, and weights that see no gradient would breed them by the thousand. Gradients whose
/// squares would overflow are taken for smaller ones, of 9e18 in float, so that a step is as long as with those, and v
/// can decay again. Infinite ones make NaN.
void adam(const AdamStep& step, const Scalar* g, Scalar* p, Scalar* m, Scalar* v, Index n);

// ---- images (bytes.hpp) ---------------------------------------------------------------------------------------------

/// y[i] = x[i] * scale + shift, in double and rounded once: in float, scale 1.0 / 255 gives x / 255 to the bit for
/// every x, which a product in float does for half of them.
void from_bytes(const std::uint8_t* x, Scalar* y, Index n, double scale, double shift);
/// Row i of y is row rows[i] of x, each `cols` long and contiguous, by the same rule: a batch out of a data set.
void gather(const std::uint8_t* x, const Index* rows, Index count, Index cols, Scalar* y, double scale, double shift);
/// y[i] = `one` where u[i] < x[i], else `zero`: draws with probabilities x, if u is uniform in [0, 1).
void binarize(const Scalar* x, const Scalar* u, Scalar* y, Index n, Scalar zero, Scalar one);

// ---- noise (philox.hpp) ---------------------------------------------------------------------------------------------
// Block b of the Philox 4x32-10 sequence of a key is philox(counter = {b low, b high, 0, 0}, key = {low, high}); block
// `first + i` makes elements 4i .. 4i + 3 of out.

/// Words (w0, w1) of a block make two draws from N(mean, deviation^2) by Box and Muller's transform: the radius from
/// w0, the cosine and then the sine of the angle from w1; words (w2, w3) the other two.
void philox_normal(std::uint64_t key, std::uint64_t first, Scalar* out, Index n, Scalar mean, Scalar deviation);
/// Each word's upper 24 bits make a number uniform in [0, 1), and that low + width * it.
void philox_uniform(std::uint64_t key, std::uint64_t first, Scalar* out, Index n, Scalar low, Scalar width);

}  // namespace tapegrad::inline TAPEGRAD_ABI::simd

#ifndef TAPEGRAD_COMPILED
#include "adam.hpp"
#include "bce.hpp"
#include "bytes.hpp"
#include "math.hpp"
#include "philox.hpp"
#include "reduce.hpp"
#endif
