#pragma once
// y[i] = f(x[i]) for the functions that activations and losses are made of. Declared and described in simd.hpp.

#include <cmath>

#include "../config.hpp"

namespace tapegrad::inline TAPEGRAD_ABI::simd {

namespace detail {
template <class F>
void map(const Scalar* x, Scalar* y, Index n, const F& f) {
  for (Index i = 0; i < n; ++i) y[i] = f(x[i]);
}
inline Scalar sigmoid(Scalar x) {
  const Scalar e = std::exp(-std::abs(x));
  return (x >= 0 ? 1 : e) / (1 + e);
}
inline Scalar softplus(Scalar x) { return std::fmax(x, Scalar{0}) + std::log1p(std::exp(-std::abs(x))); }
}  // namespace detail

inline void exp(const Scalar* x, Scalar* y, Index n) {
  detail::map(x, y, n, [](Scalar a) { return std::exp(a); });
}
inline void log(const Scalar* x, Scalar* y, Index n) {
  detail::map(x, y, n, [](Scalar a) { return std::log(a); });
}
inline void log1p(const Scalar* x, Scalar* y, Index n) {
  detail::map(x, y, n, [](Scalar a) { return std::log1p(a); });
}
inline void expm1(const Scalar* x, Scalar* y, Index n) {
  detail::map(x, y, n, [](Scalar a) { return std::expm1(a); });
}
inline void tanh(const Scalar* x, Scalar* y, Index n) {
  detail::map(x, y, n, [](Scalar a) { return std::tanh(a); });
}
inline void sigmoid(const Scalar* x, Scalar* y, Index n) {
  detail::map(x, y, n, [](Scalar a) { return detail::sigmoid(a); });
}
inline void softplus(const Scalar* x, Scalar* y, Index n) {
  detail::map(x, y, n, [](Scalar a) { return detail::softplus(a); });
}

}  // namespace tapegrad::inline TAPEGRAD_ABI::simd
