#pragma once
// Learning rates over time, by PyTorch's names. A schedule sets the optimizer's rate when it is made and at each
// step(); one is stepped after every epoch, or after every batch, as its lengths were meant.

#include <algorithm>
#include <cmath>
#include <functional>
#include <iterator>
#include <numbers>
#include <span>
#include <utility>
#include <vector>

#include "optimizer.hpp"

namespace tapegrad::inline TAPEGRAD_ABI::optim {

/// Sets the learning rate of each group to a function of the rate that the group had when the schedule was made, and of
/// the number of steps since then. One schedule for an optimizer, made after the optimizer's groups; it holds the
/// optimizer's address. (A second one would take for its base what the first has made of the rate: a warm-up and what
/// follows it are one SequentialLR.) What set_lr() sets lasts until the next step(), as under PyTorch's LambdaLR, while
/// PyTorch's other schedules go on from there.
///
/// Constructors throw ValueError for options that cannot be right; they and step() throw it for a rate that
/// `Optimizer::set_lr` refuses, and step() for a group that was added since.
class Schedule {
 public:
  /// (base rate, steps) -> rate
  using Rate = std::function<double(double base, Index steps)>;

  Schedule(Optimizer& optimizer, Rate rate) : optimizer_(&optimizer), rate_(std::move(rate)) {
    detail::require<ValueError>(rate_ != nullptr, "schedule: the function is empty");
    for (std::size_t group = 0; group < optimizer.groups(); ++group) bases_.push_back(optimizer.lr(group));
    rates_.resize(bases_.size());
    set_steps(0);
  }

  /// Sets the rates of the next step or epoch; what it throws, set_steps says.
  void step() { set_steps(steps_ + 1); }
  /// How many there were.
  Index steps() const { return steps_; }
  /// Goes to where `steps` calls of step() lead. Throws what check_steps does, and stays where it was.
  void set_steps(Index steps) {
    optimizer_->set_lr(rates_at(steps, bases_));
    steps_ = steps;
  }
  /// Throws ValueError if the steps are negative, there is not one base rate for each group, a rate that they lead to
  /// is one that `Optimizer::set_lr` refuses, or the optimizer has got more groups since.
  void check_steps(Index steps, std::span<const double> bases) { rates_at(steps, bases); }

  /// The rates that each group began with.
  std::span<const double> bases() const { return bases_; }
  /// Goes on where another one was, of as many groups. The optimizer's rates stay as they are: its own state has them,
  /// and somebody may have set them meanwhile. Throws what check_steps does.
  void restore(Index steps, std::span<const double> bases) {
    check_steps(steps, bases);
    std::ranges::copy(bases, bases_.begin());
    steps_ = steps;
  }

 protected:
  /// Throws ValueError that begins with the schedule's name.
  static void require_positive(const char* option, Index value) {
    detail::require<ValueError>(value > 0, option, " = ", value, "; it must be positive");
  }
  static void require_not_negative(const char* option, double value) {
    detail::require<ValueError>(std::isfinite(value) && value >= 0, option, " = ", value,
                                "; it must be finite and not negative");
  }

 private:
  /// The rates that these lead to, in memory that the next call overwrites. Throws what check_steps says.
  std::span<const double> rates_at(Index steps, std::span<const double> bases) {
    detail::require<ValueError>(steps >= 0, "schedule: got ", steps, " steps; they cannot be negative");
    detail::require<ValueError>(optimizer_->groups() == bases_.size(), "schedule: the optimizer has ",
                                optimizer_->groups(), " groups, the schedule was made for ", bases_.size(),
                                "; make the schedule after the groups");
    detail::require<ValueError>(bases.size() == bases_.size(), "schedule: got ", bases.size(), " base rates for ",
                                bases_.size(), " groups; there must be one for each");
    for (std::size_t group = 0; group < bases_.size(); ++group) rates_[group] = rate_(bases[group], steps);
    try {
      optimizer_->check_lr(rates_);
    } catch (const ValueError& refusal) {  // which blames the optimizer
      throw ValueError(detail::concat("schedule: after ", steps, " steps: ", refusal.what()));
    }
    return rates_;
  }

  Optimizer* optimizer_;
  Rate rate_;
  std::vector<double> bases_;  // of each group
  std::vector<double> rates_;  // of rates_at
  Index steps_ = 0;
};

/// base * factor(steps), for a function of the user's.
class LambdaLR : public Schedule {
 public:
  /// Throws ValueError for an empty function.
  LambdaLR(Optimizer& optimizer, std::function<double(Index steps)> factor)
      : Schedule(optimizer, rate(std::move(factor))) {}

  /// What it does, as a part of a SequentialLR.
  static Rate rate(std::function<double(Index)> factor) {
    detail::require<ValueError>(factor != nullptr, "lambda_lr: the function is empty");
    return [factor = std::move(factor)](double base, Index steps) { return base * factor(steps); };
  }
};

/// Options of StepLR.
struct StepLROptions {
  Index step_size = 30;
  double gamma = 0.1;
};
/// Multiplied by gamma at every step_size-th step.
class StepLR : public Schedule {
 public:
  explicit StepLR(Optimizer& optimizer, const StepLROptions& options = {}) : Schedule(optimizer, rate(options)) {}

  /// What it does, as a part of a SequentialLR.
  static Rate rate(const StepLROptions& options) {
    require_positive("step_lr: step_size", options.step_size);
    require_not_negative("step_lr: gamma", options.gamma);
    return [=](double base, Index steps) {
      return base * std::pow(options.gamma, static_cast<double>(steps / options.step_size));
    };
  }
};

/// Options of ExponentialLR.
struct ExponentialLROptions {
  double gamma = 0.95;
};
/// Multiplied by gamma at every step.
class ExponentialLR : public Schedule {
 public:
  explicit ExponentialLR(Optimizer& optimizer, const ExponentialLROptions& options = {})
      : Schedule(optimizer, rate(options)) {}

  /// What it does, as a part of a SequentialLR.
  static Rate rate(const ExponentialLROptions& options) {
    require_not_negative("exponential_lr: gamma", options.gamma);
    return [=](double base, Index steps) { return base * std::pow(options.gamma, static_cast<double>(steps)); };
  }
};

/// Options of CosineAnnealingLR.
struct CosineAnnealingLROptions {
  Index T_max = 100;  ///< steps down to eta_min
  double eta_min = 0;
};
/// Half a period of a cosine from the base rate down to eta_min, and so up and down again (Loshchilov and Hutter 2017,
/// without restarts).
class CosineAnnealingLR : public Schedule {
 public:
  explicit CosineAnnealingLR(Optimizer& optimizer, const CosineAnnealingLROptions& options = {})
      : Schedule(optimizer, rate(options)) {}

  /// What it does, as a part of a SequentialLR.
  static Rate rate(const CosineAnnealingLROptions& options) {
    require_positive("cosine_annealing_lr: T_max", options.T_max);
    require_not_negative("cosine_annealing_lr: eta_min", options.eta_min);
    return [=](double base, Index steps) {
      const double angle = std::numbers::pi * static_cast<double>(steps) / static_cast<double>(options.T_max);
      return options.eta_min + (base - options.eta_min) * (1 + std::cos(angle)) / 2;
    };
  }
};

/// Options of LinearLR.
struct LinearLROptions {
  double start_factor = 1.0 / 3;
  double end_factor = 1;
  Index total_iters = 5;
};
/// A factor that goes in a straight line from start_factor to end_factor within total_iters steps and stays there: a
/// warm-up.
class LinearLR : public Schedule {
 public:
  explicit LinearLR(Optimizer& optimizer, const LinearLROptions& options = {}) : Schedule(optimizer, rate(options)) {}

  /// What it does, as a part of a SequentialLR.
  static Rate rate(const LinearLROptions& options) {
    require_not_negative("linear_lr: start_factor", options.start_factor);
    require_not_negative("linear_lr: end_factor", options.end_factor);
    require_positive("linear_lr: total_iters", options.total_iters);
    return [=](double base, Index steps) {
      const Index done = std::min(steps, options.total_iters);
      const double part = static_cast<double>(done) / static_cast<double>(options.total_iters);
      return base * std::lerp(options.start_factor, options.end_factor, part);
    };
  }
};

/// Options of SequentialLR.
struct SequentialLROptions {
  std::vector<Index> milestones = {};  ///< after how many steps the second part begins, the third, ...
};
/// Schedules one after another, each from the base rate and counting its own steps: a warm-up, and what follows it.
///
///     SequentialLR(adam, {LinearLR::rate({.start_factor = 0.1}), CosineAnnealingLR::rate({.T_max = 95})},
///                  {.milestones = {5}});
class SequentialLR : public Schedule {
 public:
  SequentialLR(Optimizer& optimizer, std::vector<Rate> parts, const SequentialLROptions& options)
      : Schedule(optimizer, rate(std::move(parts), options)) {}

  /// What it does, as a part of another.
  static Rate rate(std::vector<Rate> parts, const SequentialLROptions& options) {
    const std::vector<Index>& milestones = options.milestones;
    detail::require<ValueError>(milestones.size() + 1 == parts.size(), "sequential_lr: got ", milestones.size(),
                                " milestones for ", parts.size(), " parts; there must be one fewer");
    for (std::size_t i = 0; i < parts.size(); ++i)
      detail::require<ValueError>(parts[i] != nullptr, "sequential_lr: the function of part ", i, " is empty");
    for (std::size_t i = 0; i < milestones.size(); ++i)
      detail::require<ValueError>(milestones[i] > (i == 0 ? 0 : milestones[i - 1]), "sequential_lr: milestones[", i,
                                  "] = ", milestones[i], "; they must be positive and ascend");
    return [parts = std::move(parts), milestones](double base, Index steps) {
      const auto next = std::ranges::upper_bound(milestones, steps);
      const Index begin = next == milestones.begin() ? 0 : *std::prev(next);
      return parts[static_cast<std::size_t>(next - milestones.begin())](base, steps - begin);
    };
  }
};

}  // namespace tapegrad::inline TAPEGRAD_ABI::optim
