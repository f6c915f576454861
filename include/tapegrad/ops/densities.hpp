#pragma once
// Log densities, and Kullback-Leibler divergences between them: normal ones by mean and log-variance, and Bernoulli.

#include <numbers>

#include "losses.hpp"

namespace tapegrad::inline TAPEGRAD_ABI {

namespace detail {

/// 1 / sigma = exp(-log_var / 2). Distances are multiplied by it twice, not by its square, which overflows earlier.
inline void inverse_sigma(const ConstArrayMap& log_var, ArrayMap out) {
  out = log_var / -2;
  simd::exp(out.data(), out.data(), out.size());
}

}  // namespace detail

namespace ops {

struct KlStandardNormal {
  static constexpr const char* name = "kl_standard_normal";
  static constexpr std::array inputs{"mu", "log_var"};
  void value(const detail::Blocks<2>& in, detail::ArrayMap out) const {
    simd::expm1(in[1].data(), out.data(), out.size());
    out = (in[0].square() + (out - in[1])) / 2;
  }
  void slope(std::size_t i, const detail::Blocks<2>& in, detail::ArrayMap out) const {
    if (i == 0) {
      out = in[0];
    } else {
      simd::expm1(in[1].data(), out.data(), out.size());
      out /= 2;
    }
  }
};

/// With r = log_var1 - log_var2 and z = (mu1 - mu2) / sigma2: (z^2 + expm1(r) - r) / 2.
struct KlNormal {
  static constexpr const char* name = "kl_normal";
  static constexpr std::array inputs{"mu1", "log_var1", "mu2", "log_var2"};
  void value(const detail::Blocks<4>& in, detail::ArrayMap out) const {
    detail::Block block;
    const auto growth = expm1_ratio(in, block);
    detail::inverse_sigma(in[3], out);
    out = (((in[0] - in[2]) * out).square() + (growth - (in[1] - in[3]))) / 2;
  }
  void slope(std::size_t i, const detail::Blocks<4>& in, detail::ArrayMap out) const {
    detail::Block block;
    if (i == 1) {
      out = expm1_ratio(in, block) / 2;
      return;
    }
    detail::inverse_sigma(in[3], out);
    if (i == 3) {
      out = (((in[0] - in[2]) * out).square() + expm1_ratio(in, block)) / -2;
    } else {
      out = (in[i] - in[2 - i]) * out * out;
    }
  }

 private:
  static detail::ArrayMap expm1_ratio(const detail::Blocks<4>& in, detail::Block& block) {
    auto result = detail::flat(block.data, in[0].size());
    result = in[1] - in[3];
    simd::expm1(block.data, block.data, in[0].size());
    return result;
  }
};

/// With z = (x - mu) / sigma: -(z^2 + log_var + log(2 pi)) / 2.
struct NormalLogDensity {
  static constexpr const char* name = "normal_log_density";
  static constexpr std::array inputs{"x", "mu", "log_var"};
  void value(const detail::Blocks<3>& in, detail::ArrayMap out) const {
    const auto log_two_pi = static_cast<Scalar>(std::log(2 * std::numbers::pi));
    detail::inverse_sigma(in[2], out);
    out = (((in[0] - in[1]) * out).square() + in[2] + log_two_pi) / -2;
  }
  void slope(std::size_t i, const detail::Blocks<3>& in, detail::ArrayMap out) const {
    detail::inverse_sigma(in[2], out);
    if (i == 2) {
      out = (((in[0] - in[1]) * out).square() - 1) / 2;
    } else {
      out = (in[1 - i] - in[i]) * out * out;
    }
  }
};

struct StandardNormalLogDensity {
  static constexpr const char* name = "standard_normal_log_density";
  static constexpr std::array inputs{"x"};
  void value(const detail::Blocks<1>& in, detail::ArrayMap out) const {
    const auto log_two_pi = static_cast<Scalar>(std::log(2 * std::numbers::pi));
    out = (in[0].square() + log_two_pi) / -2;
  }
  void slope(std::size_t, const detail::Blocks<1>& in, detail::ArrayMap out) const { out = -in[0]; }
};

struct BernoulliLogDensity {
  static constexpr const char* name = "bernoulli_log_density";
  static constexpr std::array inputs{"x", "logits"};
  void check(std::span<const ConstTensorView> in) const { detail::check_targets(name, inputs[0], in[0]); }
  void value(const detail::Blocks<2>& in, detail::ArrayMap out) const {
    simd::bce_with_logits(in[1].data(), in[0].data(), out.data(), out.size());
    out = -out;
  }
  void slope(std::size_t i, const detail::Blocks<2>& in, detail::ArrayMap out) const {
    if (i == 0) {
      out = in[1];
    } else {
      simd::bce_with_logits_backward(in[1].data(), in[0].data(), Scalar{-1}, out.data(), out.size());
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
