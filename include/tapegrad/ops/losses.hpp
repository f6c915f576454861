#pragma once
// Losses of predictions and targets of the same shape. Gradients flow to the targets too where those want one.

#include <array>
#include <span>

#include "elementwise.hpp"
#include "options.hpp"
#include "reduction.hpp"
#include "select.hpp"

namespace tapegrad::inline TAPEGRAD_ABI {

/// Whether targets that should be in [0, 1] are refused where they are not. Without the check binary cross-entropy is
/// unbounded below, and a decoder is rewarded for saturating: for experiments that want to see just that.
enum class TargetCheck { on, off };

namespace ops {

struct Bce {
  static constexpr const char* name = "bce";
  static constexpr std::array inputs{"input", "target"};
  TargetCheck check_on;
  void check(std::span<const ConstTensorView> in, Index begin, Index end) const {
    if (check_on == TargetCheck::on) detail::check_targets(name, inputs[1], in[1], begin, end);
    detail::check_unit_interval(name, inputs[0], in[0], begin, end,
                                "it must be a probability (for numbers before a sigmoid there is bce_with_logits)");
  }
  /// Logs are held above -100, as in PyTorch, so that a saturated prediction costs 100 and not infinity.
  void value(const detail::InputsAt<2>& in, Scalar* out, Index n) const {
    detail::Block log_off;
    logs(in[0], out, log_off.data, n);
    const auto term = [](const Four& t, const Four& on, const Four& off) { return (t - 1) * off - t * on; };
    detail::each(out, n, term, in[1], out, log_off.data);
  }
  void slope(std::size_t i, const detail::InputsAt<2>& in, Scalar* out, Index n) const {
    if (i == 0) {
      const auto ratio = [](const Four& p, const Four& t) {
        return (p - t) / detail::at_least(p * (1 - p), Scalar(1e-12));
      };
      detail::each(out, n, ratio, in[0], in[1]);
      return;
    }
    detail::Block log_off;
    logs(in[0], out, log_off.data, n);
    detail::each(
        out, n, [](const Four& on, const Four& off) { return off - on; }, out, log_off.data);
  }

 private:
  static void logs(const Scalar* p, Scalar* log_on, Scalar* log_off, Index n) {
    const auto bounded = [](const Four& log) { return detail::at_least(log, -100); };
    simd::log(p, log_on, n);
    detail::each(log_on, n, bounded, log_on);
    detail::each(log_off, n, detail::negated, p);
    simd::log1p(log_off, log_off, n);
    detail::each(log_off, n, bounded, log_off);
  }
};

struct BceWithLogits {
  static constexpr const char* name = "bce_with_logits";
  static constexpr std::array inputs{"logits", "target"};
  TargetCheck check_on;
  void check(std::span<const ConstTensorView> in, Index begin, Index end) const {
    if (check_on == TargetCheck::on) detail::check_targets(name, inputs[1], in[1], begin, end);
  }
  void value(const detail::InputsAt<2>& in, Scalar* out, Index n) const { simd::bce_with_logits(in[0], in[1], out, n); }
  double sum(const detail::InputsAt<2>& in, Index n) const { return simd::bce_with_logits_sum(in[0], in[1], n); }
  void slope(std::size_t i, const detail::InputsAt<2>& in, Scalar* out, Index n) const {
    if (i == 0) {
      simd::bce_with_logits_backward(in[0], in[1], Scalar{1}, out, n);
    } else {
      detail::each(out, n, detail::negated, in[0]);
    }
  }
};

struct Mse {
  static constexpr const char* name = "mse";
  static constexpr std::array inputs{"input", "target"};
  void value(const detail::InputsAt<2>& in, Scalar* out, Index n) const {
    detail::each(
        out, n, [](const Four& x, const Four& t) { return square(x - t); }, in[0], in[1]);
  }
  void slope(std::size_t i, const detail::InputsAt<2>& in, Scalar* out, Index n) const {
    detail::each(
        out, n, [](const Four& x, const Four& t) { return 2 * (x - t); }, in[i], in[1 - i]);
  }
};

struct L1 {
  static constexpr const char* name = "l1";
  static constexpr std::array inputs{"input", "target"};
  void value(const detail::InputsAt<2>& in, Scalar* out, Index n) const {
    detail::each(
        out, n, [](const Four& x, const Four& t) { return abs(x - t); }, in[0], in[1]);
  }
  void slope(std::size_t i, const detail::InputsAt<2>& in, Scalar* out, Index n) const {
    detail::each(
        out, n, [](const Four& x, const Four& t) { return detail::sign(x - t); }, in[i], in[1 - i]);
  }
};

struct Huber {
  static constexpr const char* name = "huber";
  static constexpr std::array inputs{"input", "target"};
  Scalar delta;
  void value(const detail::InputsAt<2>& in, Scalar* out, Index n) const {
    const auto term = [d = delta](const Four& x, const Four& t) {
      const Four distance = abs(x - t), near = detail::at_most(distance, d);
      return near * (distance - near / 2);
    };
    detail::each(out, n, term, in[0], in[1]);
  }
  void slope(std::size_t i, const detail::InputsAt<2>& in, Scalar* out, Index n) const {
    const auto slope = [d = delta](const Four& x, const Four& t) {
      return detail::at_most(detail::at_least(x - t, -d), d);
    };
    detail::each(out, n, slope, in[i], in[1 - i]);
  }
};

}  // namespace ops

/// Binary cross-entropy of probabilities: -t log p - (1 - t) log(1 - p), logs held above -100 as in PyTorch. Sum by
/// default: the reconstruction term of a VAE, in nats. Throws ShapeError unless the shapes are equal, ValueError for
/// probabilities outside [0, 1], and for such targets unless their check is off.
inline Var bce(Var input, Var target, Reduction reduction = Reduction::sum, TargetCheck check = TargetCheck::on) {
  return detail::loss(ops::Bce{check}, reduction, input, target);
}

/// The same of logits a, p = sigmoid(a), without overflow or cancellation: softplus(a) - t a. Its gradient is
/// sigmoid(a) - t. Sum by default. Throws ShapeError unless the shapes are equal, and ValueError for targets outside
/// [0, 1] unless their check is off.
inline Var bce_with_logits(Var logits, Var target, Reduction reduction = Reduction::sum,
                           TargetCheck check = TargetCheck::on) {
  return detail::loss(ops::BceWithLogits{check}, reduction, logits, target);
}

/// (x - t)^2. Mean by default, as in PyTorch. Throws ShapeError unless the shapes are equal.
inline Var mse(Var input, Var target, Reduction reduction = Reduction::mean) {
  return detail::loss(ops::Mse{}, reduction, input, target);
}

/// |x - t|. Mean by default, as in PyTorch; no gradient where both are equal. Throws ShapeError unless the shapes are
/// equal.
inline Var l1(Var input, Var target, Reduction reduction = Reduction::mean) {
  return detail::loss(ops::L1{}, reduction, input, target);
}

/// (x - t)^2 / 2 up to a distance of delta, from there on the line delta (|x - t| - delta / 2). Mean by default, as in
/// PyTorch. Throws ShapeError unless the shapes are equal, ValueError unless delta is positive and finite. (Huber 1964)
inline Var huber(Var input, Var target, Reduction reduction = Reduction::mean, double delta = 1) {
  return detail::loss(ops::Huber{detail::positive("huber", "delta", delta)}, reduction, input, target);
}

}  // namespace tapegrad::inline TAPEGRAD_ABI
