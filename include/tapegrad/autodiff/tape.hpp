#pragma once
// The tape: what was computed, in order, so that gradients can be computed in the opposite one.

#include <algorithm>
#include <cstdint>
#include <ranges>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "../core/random.hpp"
#include "../core/set_while.hpp"
#include "node.hpp"
#include "parameter_table.hpp"
#include "profile.hpp"
#include "var.hpp"

namespace tapegrad::inline TAPEGRAD_ABI {

namespace detail {

/// What is called for each op while detect_anomaly() lives. Through pointers: programs without it make no code of it.
struct AnomalyHooks {
  void (*forward)(Tape& tape, const Node& node);
  void (*backward)(Tape& tape, std::uint32_t index);
};
/// What those do.
struct AnomalyCheck {
  static void forward(Tape& tape, const Node& node);
  static void backward(Tape& tape, std::uint32_t index);

 private:
  static std::vector<ConstTensorView> inputs(const Tape& tape, const Node& node);
};

}  // namespace detail

/// Records operations as they are computed, and runs them backward.
///
/// A tape belongs to whoever made it, and is used by one thread at a time; several tapes do not know of each other.
/// `reset()` forgets the last pass and keeps its memory, so that a pass allocates nothing if one before it was as
/// large. An op that records on the tape it runs on, resets it or runs it backward is told so by a TapeError.
class Tape {
 public:
  Tape() = default;
  Tape(const Tape&) = delete;
  Tape& operator=(const Tape&) = delete;

  /// Forgets everything computed so far, which makes all its Vars stale.
  void reset() {
    require_idle();
    nodes_.clear();
    arena_.rewind();
    ++pass_;
    parameters_.clear();
    changed_parameters_ = 0;
    paths_.clear();
  }

  /// A value that needs no gradient, copied onto the tape.
  Var constant(ConstTensorView value) { return push(leaf(copy(value, value.shape()))); }
  /// The same of any Eigen matrix, array or expression; its shape is that of a Tensor made of it.
  template <class Derived>
  Var constant(const Eigen::DenseBase<Derived>& value) {
    return push(leaf(copy(value, detail::shape_of(value))));
  }
  /// The same without a copy: what `value` looks at must stay as it is until `reset()`.
  Var borrow(ConstTensorView value) { return push(leaf(value)); }
  Var borrow(const Tensor& value) { return borrow(value.view()); }
  Var borrow(const Tensor&& value) = delete;  // gone before the Var is used
  /// A value with a gradient of its own: `x.grad()` after `backward()`.
  Var variable(ConstTensorView value) { return push(leaf(copy(value, value.shape()), grad_enabled_)); }
  template <class Derived>
  Var variable(const Eigen::DenseBase<Derived>& value) {
    return push(leaf(copy(value, detail::shape_of(value)), grad_enabled_));
  }
  /// A parameter's value; the gradient goes to the parameter. Within a pass it is the same Var until the parameter is
  /// changed, frozen or thawed, or no_grad() begins or ends. Throws TapeError where parameters were changed more than a
  /// thousand times each, on average, in one pass: somebody forgot reset().
  Var parameter(Parameter& parameter);
  /// Draws from N(0, 1), made in the tape's memory.
  Var randn(const Shape& shape, Rng& rng) {
    require_idle();  // else the draws would be lost
    const TensorView noise = allocate(shape);
    rng.normal(noise);
    return push(leaf(noise));
  }

  /// The elements of any range, converted to T and copied into the tape's memory, where they stay until `reset()`: for
  /// what an op's attributes look at.
  template <class T, std::ranges::sized_range Elements>
  std::span<const T> keep(const Elements& elements) {
    const auto count = static_cast<std::size_t>(std::ranges::size(elements));
    T* const kept = arena_.allocate_array<T>(count);
    std::ranges::transform(elements, kept, [](const auto& element) { return static_cast<T>(element); });
    return {kept, count};
  }

  /// Switches recording off while the result lives: what is computed meanwhile requires no gradient. With false it
  /// changes nothing, for functions that train or not.
  [[nodiscard("const auto guard = tape.no_grad();")]] detail::SetWhile<bool> no_grad(bool on = true) {
    return {grad_enabled_, grad_enabled_ && !on};
  }
  /// Looks, while the result lives, for the op that spoils a training: the first one, forward or backward, that makes a
  /// NaN or an infinity out of finite numbers throws AnomalyError, which names it, its layer, and the ranges of its
  /// inputs. Of a NaN that comes in with the data or a parameter it says nothing: `x.matrix().allFinite()` does. It
  /// reads every number again and again, so a step takes several times as long.
  [[nodiscard("const auto guard = tape.detect_anomaly();")]] detail::SetWhile<const detail::AnomalyHooks*>
  detect_anomaly() {
    static constexpr detail::AnomalyHooks check{detail::AnomalyCheck::forward, detail::AnomalyCheck::backward};
    return {anomaly_, &check};
  }

  /// While it lives, errors of ops say that they happened in `owner`, by its `path()`. Layers make one when they are
  /// called.
  class [[nodiscard]] Scope {
   public:
    template <class Owner>
    Scope(Tape& tape, const Owner& owner)
        : tape_(tape),
          outer_(std::exchange(tape.scope_, this)),
          owner_(&owner),
          path_([](const void* object) { return static_cast<const Owner*>(object)->path(); }) {}
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;
    ~Scope() { tape_.scope_ = outer_; }

    std::string path() const { return path_(owner_); }

   private:
    Tape& tape_;
    const Scope* outer_;
    const void* owner_;
    std::string (*path_)(const void*);  // called for an error only
  };

  /// See Var::grad.
  ConstTensorView grad(Var var);

  /// The memory that values, gradients and nodes take, in bytes, used or not.
  std::size_t bytes() const { return arena_.bytes() + nodes_.capacity() * sizeof(detail::Node); }
  /// The number of values recorded since `reset()`.
  Index size() const { return static_cast<Index>(nodes_.size()); }

  /// Starts (afresh) or stops measuring the time that each op takes.
  void set_profiling(bool on) {
    profiler_.on = on;
    if (on) profiler_.ops.clear();
  }
  /// Time by op since profiling was switched on, in the order of first use; `to_table` of print.hpp shows it.
  const std::vector<OpProfile>& profile() const { return profiler_.ops; }

 private:
  friend class Var;
  friend struct detail::Recorder;
  friend struct detail::GraphWriter;
  friend struct detail::AnomalyCheck;

  void backward(Var root, const ConstTensorView* seed);
  /// Gradients that a failed backward call has written to may be incomplete: they count as none.
  void forget_begun();
  /// The node of a Var that is to be used for `what`; throws TapeError unless it is of this tape and pass.
  detail::Node& node(const Var& var, const char* what);
  [[gnu::noinline]] TensorView allocate(const Shape& shape) { return {arena_.allocate_numbers(shape.size()), shape}; }
  template <class Values>
  ConstTensorView copy(const Values& values, const Shape& shape) {
    const TensorView result = allocate(shape);
    result.copy_from(values);
    return result;
  }
  static detail::Node leaf(ConstTensorView value, bool requires_grad = false) {
    detail::Node node;
    node.value = value;
    node.requires_grad = requires_grad;
    return node;
  }
  Var push(const detail::Node& node) {
    require_idle();
    nodes_.push_back(node);
    return last();
  }
  /// An op that runs holds references to nodes, which must stay where they are.
  void require_idle() const {
    detail::require<TapeError>(running_ == nullptr, running_, ": uses the tape that it runs on; an op computes with ",
                               "tensors, or on a tape of its own");
  }
  Var last() { return Var(this, static_cast<std::uint32_t>(nodes_.size() - 1), pass_); }
  /// Where contributions to a node's gradient go; false if it requires none, as a parameter that was frozen since.
  Gradient gradient(detail::Node& node) {
    if (!node.requires_grad || (node.parameter && !node.parameter->requires_grad())) return {};
    detail::GradientSlot& slot = node.parameter ? node.parameter->slot_ : node.gradient;
    return Gradient(slot, node.value.shape(), arena_, backward_call_, node.type == nullptr);
  }

  std::vector<detail::Node> nodes_;
  detail::Arena arena_;
  detail::ParameterTable parameters_;
  std::size_t changed_parameters_ = 0;  // in this pass, each time that one was read again
  detail::Profiler profiler_;
  std::vector<std::string> paths_;  // of the layer that made each node; only detect_anomaly() fills it
  const Scope* scope_ = nullptr;
  std::uint64_t backward_call_ = 0;  // the last
  // Tapes count from far apart: a Var of one that lay at the same address before is told from a Var of this.
  const std::uint32_t first_pass_ = static_cast<std::uint32_t>(detail::new_serial()) * 0x9E3779B9u;
  std::uint32_t pass_ = first_pass_;
  bool grad_enabled_ = true;
  const detail::AnomalyHooks* anomaly_ = nullptr;
  const char* running_ = nullptr;  // the op whose forward or backward it is in
};

inline detail::Node& Tape::node(const Var& var, const char* what) {
  if (var.tape_ != this || var.pass_ != pass_) [[unlikely]] {
    detail::require<TapeError>(&var.tape_for(what) == this, what,
                               ": Vars of two tapes; all of a computation is on one tape");
    const std::uint32_t passes = pass_ - first_pass_, of = var.pass_ - first_pass_;
    detail::require<TapeError>(of < passes, what, ": a Var of a tape that is gone; Vars do not outlive their tape");
    throw TapeError(detail::concat(what, ": a Var of pass ", of + 1, ", but the tape is in pass ", passes + 1,
                                   "; reset() ends a pass, and Vars do not outlive it: make them anew"));
  }
  return nodes_[var.index_];
}

inline Var Tape::parameter(Parameter& parameter) {
  detail::Node node = leaf(std::as_const(parameter).value(), parameter.requires_grad() && grad_enabled_);
  node.parameter = &parameter;
  node.parameter_version = parameter.version_;
  std::uint32_t& index = parameters_[parameter];
  if (index != detail::ParameterTable::none) {
    const bool changed = nodes_[index].parameter_version != node.parameter_version;
    if (!changed && nodes_[index].requires_grad == node.requires_grad) return Var(this, index, pass_);
    // A step or two within a pass are meant (a GAN's); a whole training in one is a forgotten reset(): memory fills.
    constexpr std::size_t most = 1000;
    changed_parameters_ += changed;
    detail::require<TapeError>(
        changed_parameters_ <= most * parameters_.size(), "parameter: the parameters have changed over ", most,
        " times each, on average, within one pass; the tape keeps all that was computed since reset(): begin each ",
        "pass with tape.reset()");
  }
  const Var var = push(node);
  index = var.index_;
  return var;
}

inline Tape& Var::tape_for(const char* what) const {
  detail::require<TapeError>(tape_ != nullptr, what, ": a Var of no tape; make it with Tape::constant, variable or ",
                             "parameter, or by an op");
  return *tape_;
}
inline detail::Node& Var::node_for(const char* what) const { return tape_for(what).node(*this, what); }
inline Tape& Var::tape() const { return tape_for("Var::tape"); }
inline ConstTensorView Var::value() const { return node_for("Var::value").value; }
inline Shape Var::shape() const { return node_for("Var::shape").value.shape(); }
inline double Var::item() const { return value().item(); }
inline const char* Var::op() const { return node_for("Var::op").made_by(); }
inline bool Var::requires_grad() const { return node_for("Var::requires_grad").requires_grad; }
inline void Var::backward() const { tape_for("backward").backward(*this, nullptr); }
inline void Var::backward(ConstTensorView seed) const { tape_for("backward").backward(*this, &seed); }
inline ConstTensorView Var::grad() const { return tape_for("grad").grad(*this); }
inline void Var::zero_grad() const {
  detail::Node& node = node_for("zero_grad");
  if (node.is_parameter()) {
    node.parameter->zero_grad();
  } else {
    node.gradient.stamp = 0;
  }
}

}  // namespace tapegrad::inline TAPEGRAD_ABI

#include "anomaly.hpp"
#include "backward.hpp"
