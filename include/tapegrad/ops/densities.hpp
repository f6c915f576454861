#pragma once
// Log densities, and Kullback-Leibler divergences between them: normal ones by mean and log-variance, and Bernoulli.

#include <algorithm>
#include <array>
#include <span>
#include <type_traits>

#include "elementwise.hpp"
#include "reduction.hpp"
#include "select.hpp"

namespace tapegrad::inline TAPEGRAD_ABI {

namespace detail {

/// 1 / sigma = exp(-log_var / 2), held below infinity: 0 times that would be NaN. Distances are multiplied by it twice,
/// not by its square, which overflows earlier.
inline void inverse_sigma(const Scalar* log_var, Scalar* out, Index n) {
  constexpr Scalar most = std::is_same_v<Scalar, float> ? Scalar(88.72) : Scalar(709.78);  // whose exp is finite
  each(
      out, n, [](const Four& a) { return at_most(a / -2, most); }, log_var);
  simd::exp(out, out, n);
}

/// A distance in units of sigma squared: the derivative of half its square by its first end.
inline constexpr auto twice_scaled = [](const Four& to, const Four& from, const Four& inverse) {
  return (to - from) * inverse * inverse;
};

inline constexpr auto log_two_pi = static_cast<Scalar>(1.8378770664093453);  // log(2 pi), as std::log has it

}  // namespace detail

namespace ops {

struct KlStandardNormal {
  static constexpr const char* name = "kl_standard_normal";
  static constexpr std::array inputs{"mu", "log_var"};
  void value(const detail::InputsAt<2>& in, Scalar* out, Index n) const {
    simd::expm1(in[1], out, n);
    const auto term = [](const Four& mu, const Four& growth, const Four& log_var) {
      return (square(mu) + (growth - log_var)) / 2;
    };
    detail::each(out, n, term, in[0], out, in[1]);
  }
  void slope(std::size_t i, const detail::InputsAt<2>& in, Scalar* out, Index n) const {
    if (i == 0) {
      std::copy_n(in[0], n, out);
    } else {
      simd::expm1(in[1], out, n);
      detail::each(
          out, n, [](const Four& growth) { return growth / 2; }, out);
    }
  }
};

/// With r = log_var1 - log_var2 and z = (mu1 - mu2) / sigma2: (z^2 + expm1(r) - r) / 2.
struct KlNormal {
  static constexpr const char* name = "kl_normal";
  static constexpr std::array inputs{"mu1", "log_var1", "mu2", "log_var2"};
  void value(const detail::InputsAt<4>& in, Scalar* out, Index n) const {
    detail::Block growth;
    expm1_ratio(in, growth.data, n);
    detail::inverse_sigma(in[3], out, n);
    const auto term = [](const Four& mu1, const Four& mu2, const Four& inverse, const Four& g, const Four& log_var1,
                         const Four& log_var2) {
      return (square((mu1 - mu2) * inverse) + (g - (log_var1 - log_var2))) / 2;
    };
    detail::each(out, n, term, in[0], in[2], out, growth.data, in[1], in[3]);
  }
  void slope(std::size_t i, const detail::InputsAt<4>& in, Scalar* out, Index n) const {
    detail::Block growth;
    if (i % 2 == 1) expm1_ratio(in, growth.data, n);
    if (i == 1) {
      detail::each(
          out, n, [](const Four& g) { return g / 2; }, growth.data);
      return;
    }
    detail::inverse_sigma(in[3], out, n);
    if (i == 3) {
      const auto slope = [](const Four& mu1, const Four& mu2, const Four& inverse, const Four& g) {
        return (square((mu1 - mu2) * inverse) + g) / -2;
      };
      detail::each(out, n, slope, in[0], in[2], out, growth.data);
    } else {
      detail::each(out, n, detail::twice_scaled, in[i], in[2 - i], out);
    }
  }

 private:
  static void expm1_ratio(const detail::InputsAt<4>& in, Scalar* out, Index n) {
    detail::each(
        out, n, [](const Four& a, const Four& b) { return a - b; }, in[1], in[3]);
    simd::expm1(out, out, n);
  }
};

/// With z = (x - mu) / sigma: -(z^2 + log_var + log(2 pi)) / 2.
struct NormalLogDensity {
  static constexpr const char* name = "normal_log_density";
  static constexpr std::array inputs{"x", "mu", "log_var"};
  void value(const detail::InputsAt<3>& in, Scalar* out, Index n) const {
    detail::inverse_sigma(in[2], out, n);
    const auto term = [](const Four& x, const Four& mu, const Four& inverse, const Four& log_var) {
      return (square((x - mu) * inverse) + log_var + detail::log_two_pi) / -2;
    };
    detail::each(out, n, term, in[0], in[1], out, in[2]);
  }
  void slope(std::size_t i, const detail::InputsAt<3>& in, Scalar* out, Index n) const {
    detail::inverse_sigma(in[2], out, n);
    if (i == 2) {
      const auto slope = [](const Four& x, const Four& mu, const Four& inverse) {
        return (square((x - mu) * inverse) - 1) / 2;
      };
      detail::each(out, n, slope, in[0], in[1], out);
    } else {
      detail::each(out, n, detail::twice_scaled, in[1 - i], in[i], out);
    }
  }
};

struct StandardNormalLogDensity {
  static constexpr const char* name = "standard_normal_log_density";
  static constexpr std::array inputs{"x"};
  void value(const detail::InputsAt<1>& in, Scalar* out, Index n) const {
    detail::each(
        out, n, [](const Four& x) { return (square(x) + detail::log_two_pi) / -2; }, in[0]);
  }
  void slope(std::size_t, const detail::InputsAt<1>& in, Scalar* out, Index n) const {
    detail::each(out, n, detail::negated, in[0]);
  }
};

struct BernoulliLogDensity {
  static constexpr const char* name = "bernoulli_log_density";
  static constexpr std::array inputs{"x", "logits"};
  void check(std::span<const ConstTensorView> in, Index begin, Index end) const {
    detail::check_targets(name, inputs[0], in[0], begin, end);
  }
  void value(const detail::InputsAt<2>& in, Scalar* out, Index n) const {
    simd::bce_with_logits(in[1], in[0], out, n);
    detail::each(out, n, detail::negated, out);
  }
  void slope(std::size_t i, const detail::InputsAt<2>& in, Scalar* out, Index n) const {
    if (i == 0) {
      std::copy_n(in[1], n, out);
    } else {
      simd::bce_with_logits_backward(in[1], in[0], Scalar{-1}, out, n);
    }
  }
};

}  // namespace ops

/// KL(N(mu, exp(log_var)) || N(0, 1)) = (mu^2 + expm1(log_var) - log_var) / 2, in nats. Sum by default: the other term
/// of a VAE's loss (Kingma and Welling 2014, appendix B). Throws ShapeError unless the shapes are equal.
inline Var kl_standard_normal(Var mu, Var log_var, Reduction reduction = Reduction::sum) {
  return detail::loss(ops::KlStandardNormal{}, reduction, mu, log_var);
}

/// KL(N(mu1, exp(log_var1)) || N(mu2, exp(log_var2))), in nats. Sum by default. Throws ShapeError unless the shapes are
/// equal.
inline Var kl_normal(Var mu1, Var log_var1, Var mu2, Var log_var2, Reduction reduction = Reduction::sum) {
  return detail::loss(ops::KlNormal{}, reduction, mu1, log_var1, mu2, log_var2);
}

/// log N(x; mu, exp(log_var)). Element by element by default, as torch.distributions has it: `sum(.., -1)` gives the
/// log density of each sample, of which importance weights are made. Throws ShapeError unless the shapes are equal.
inline Var normal_log_density(Var x, Var mu, Var log_var, Reduction reduction = Reduction::none) {
  return detail::loss(ops::NormalLogDensity{}, reduction, x, mu, log_var);
}

/// log N(x; 0, 1). Element by element by default; see normal_log_density. Of z = mu + sigma eps it also gives
/// log N(z; mu, sigma^2) = standard_normal_log_density(eps) - log sigma, without a division by sigma.
inline Var standard_normal_log_density(Var x, Reduction reduction = Reduction::none) {
  return detail::loss(ops::StandardNormalLogDensity{}, reduction, x);
}

/// log Bernoulli(x; sigmoid(logits)) = -bce_with_logits(logits, x). Element by element by default; see
/// normal_log_density. Throws ShapeError unless the shapes are equal, ValueError for x outside [0, 1].
inline Var bernoulli_log_density(Var x, Var logits, Reduction reduction = Reduction::none) {
  return detail::loss(ops::BernoulliLogDensity{}, reduction, x, logits);
}

}  // namespace tapegrad::inline TAPEGRAD_ABI
