#pragma once

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "../autodiff/parameter.hpp"
#include "../core/memory.hpp"
#include "finite.hpp"

namespace tapegrad::inline TAPEGRAD_ABI::optim {

/// What an optimizer knows of one parameter beside its value; all that a checkpoint has to keep.
struct ParameterState {
  /// A tensor of the parameter's shape, in the optimizer's memory, under PyTorch's name for it.
  struct Buffer {
    const char* name;
    const TensorView value;  // const: an assignment would not copy
  };
  Parameter* parameter;
  std::size_t group;
  Index steps = 0;  ///< how often this parameter was updated
  std::vector<Buffer> buffers;
};

/// Changes parameters by their gradients. It holds their addresses, so they must outlive it; nothing checks that.
///
/// Parameters come in groups, each with options of its own. A parameter without a gradient, or frozen, is skipped: its
/// value, its state and its count of steps stay as they are.
class Optimizer {
 public:
  Optimizer(const Optimizer&) = delete;
  Optimizer& operator=(const Optimizer&) = delete;
  virtual ~Optimizer() = default;

  /// Updates every parameter that has a gradient. Throws ValueError, and changes nothing, if one of them is not finite
  /// and `set_error_if_nonfinite` asked to be told.
  void step() {
    if (error_if_nonfinite_) check_gradients();
    for (ParameterState& state : states_) {
      if (!is_updated(*state.parameter)) continue;
      ++state.steps;
      update(state, lrs_[state.group]);
    }
    finish_step();
  }
  /// Forgets the gradients of its parameters.
  void zero_grad() {
    for (ParameterState& state : states_) state.parameter->zero_grad();
  }

  /// Whether `step()` refuses gradients that are not finite; it does not unless asked to, as it takes another look at
  /// each. (The name is that of PyTorch's clip_grad_norm_.)
  void set_error_if_nonfinite(bool on) { error_if_nonfinite_ = on; }

  /// "adam", "sgd", ...: what its error messages begin with.
  const char* name() const { return name_; }
  std::size_t groups() const { return lrs_.size(); }
  /// The learning rate of a group. Throws ValueError beyond the last group.
  double lr(std::size_t group = 0) const { return lrs_[checked(group)]; }
  /// Sets the learning rate of one group. Throws ValueError beyond the last one, and unless the rate is finite and not
  /// negative.
  void set_lr(double lr, std::size_t group) {
    check_lr(lr);
    lrs_[checked(group)] = lr;
  }
  /// Sets the learning rate of all groups. Throws ValueError unless it is finite and not negative.
  void set_lr(double lr) {
    for (std::size_t group = 0; group < groups(); ++group) set_lr(lr, group);
  }
  /// Sets the learning rates of the first groups, one each. Throws ValueError, and sets none, if one of them is
  /// negative or not finite, or if there are more of them than groups.
  void set_lr(std::span<const double> lrs) {
    check_lr(lrs);
    std::ranges::copy(lrs, lrs_.begin());
  }
  /// Only the checks of that.
  void check_lr(std::span<const double> lrs) const {
    require(lrs.size() <= groups(), "got ", lrs.size(), " learning rates for ", groups(),
            " groups; there may be one for each");
    for (const double lr : lrs) check_lr(lr);
  }

  /// The state of every parameter, in the order in which they were given: to save, and to write back.
  std::span<ParameterState> states() { return states_; }

 protected:
  /// `name` begins its error messages.
  explicit Optimizer(const char* name) : name_(name) {}

  struct InitialBuffer {
    const char* name;
    double value;
  };
  /// Adds a group, and allocates its state in one piece, as every step goes through all of it. Throws ValueError for no
  /// parameters, a null one, or one that is there already; the optimizer is as before then.
  void add_parameters(const std::vector<Parameter*>& parameters, double lr, std::span<const InitialBuffer> buffers) {
    check_lr(lr);
    check_new(parameters);
    Index numbers = 0;
    for (const Parameter* parameter : parameters)
      numbers += static_cast<Index>(buffers.size()) * detail::round_up(parameter->size(), detail::cache_line);
    Tensor memory = Tensor::uninitialized({numbers});
    std::vector<ParameterState> added;
    Scalar* next = memory.data();
    for (Parameter* parameter : parameters) {
      ParameterState& state = added.emplace_back(ParameterState{parameter, groups(), 0, {}});
      for (const auto& [name, value] : buffers) {
        const TensorView buffer(next, parameter->shape());
        buffer.fill(value);
        state.buffers.push_back({name, buffer});
        next += detail::round_up(parameter->size(), detail::cache_line);
      }
    }
    states_.reserve(states_.size() + added.size());
    memory_.reserve(groups() + 1);
    lrs_.reserve(groups() + 1);  // nothing fails from here on
    std::ranges::move(added, std::back_inserter(states_));
    memory_.push_back(std::move(memory));
    lrs_.push_back(lr);
  }

  /// One step for one parameter, whose count of steps includes it.
  virtual void update(ParameterState& state, double lr) = 0;
  /// After the last update() of a step: for those that only note there what is to be done.
  virtual void finish_step() {}

  /// Throws ValueError that begins with the optimizer's name.
  template <class... Parts>
  void require(bool condition, const Parts&... parts) const {
    if (!condition) refuse(parts...);
  }
  template <class... Parts>
  [[noreturn]] void refuse(const Parts&... parts) const {
    throw ValueError(detail::concat(name_, ": ", parts...));
  }
  // As the scalars that updates compute with: as a float, 1e39 is none, 1e-46 is 0, and 1 - 1e-9 is 1.
  void require_in_0_1(const char* option, double value) const {
    const auto scalar = static_cast<Scalar>(value);
    require(scalar >= 0 && scalar < 1, option, " = ", scalar, "; it must be in [0, 1)");
  }
  void require_not_negative(const char* option, double value) const {
    const auto scalar = static_cast<Scalar>(value);
    require(std::isfinite(scalar) && scalar >= 0, option, " = ", scalar, "; it must be finite and not negative");
  }
  void require_positive(const char* option, double value) const {
    const auto scalar = static_cast<Scalar>(value);
    require(std::isfinite(scalar) && scalar > 0, option, " = ", scalar, "; it must be finite and positive");
  }
  /// Throws ValueError for an eps below gradients whose squares are 0 as Scalars: a step of gradient / eps could exceed
  /// the learning rate. `share` is the weight of a new square in the mean.
  void require_eps(double eps, double share) const {
    require_positive("eps", eps);
    const double least = std::sqrt(std::numeric_limits<Scalar>::min() / share);
    require(eps >= least, "eps = ", eps, "; it must be at least ", least,
            ", as the squares of smaller gradients are 0");
  }

 private:
  void check_lr(double lr) const { require_not_negative("lr", lr); }
  std::size_t checked(std::size_t group) const {
    require(group < groups(), "group ", group, " of ", groups(), "; groups count from 0");
    return group;
  }
  /// Throws ValueError unless there are parameters, and each is given for the first time.
  void check_new(const std::vector<Parameter*>& parameters) const {
    require(!parameters.empty(), "got no parameters; there is nothing to optimise");
    std::set<const Parameter*> known;
    for (const ParameterState& state : states_) known.insert(state.parameter);
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      require(parameters[i] != nullptr, "parameter ", i, " is a null pointer");
      if (!known.insert(parameters[i]).second)
        refuse(detail::described(*parameters[i], i), " is there already; each may be given once");
    }
  }

  static bool is_updated(const Parameter& parameter) { return parameter.has_grad() && parameter.requires_grad(); }

  void check_gradients() const {
    for (std::size_t i = 0; i < states_.size(); ++i)
      if (is_updated(*states_[i].parameter)) detail::require_finite_gradient(name_, *states_[i].parameter, i);
  }

  const char* name_;
  bool error_if_nonfinite_ = false;
  std::vector<double> lrs_;     // of each group
  std::vector<Tensor> memory_;  // of each group's buffers
  std::vector<ParameterState> states_;
};

/// An optimizer whose groups differ in more than the learning rate: each has an `Options`, with a member `lr`.
template <class Options>
class GroupOptimizer : public Optimizer {
 protected:
  using Optimizer::Optimizer;

  /// Adds a group with these options; throws as add_parameters does.
  void add(const std::vector<Parameter*>& parameters, const Options& options, std::span<const InitialBuffer> buffers) {
    options_.reserve(groups() + 1);  // so that nothing can fail once the parameters are there
    add_parameters(parameters, options.lr, buffers);
    options_.push_back(options);
  }
  /// The options of a parameter's group; but its learning rate is what update() is given.
  const Options& options(const ParameterState& state) const { return options_[state.group]; }

 private:
  std::vector<Options> options_;
};

}  // namespace tapegrad::inline TAPEGRAD_ABI::optim
