#pragma once
// How an op gets onto the tape. An op is a small struct:
//
//   struct Softsign {
//     static constexpr const char* name = "softsign";
//     Shape shape(const Shape& x) const { return x; }
//     void forward(ConstTensorView x, TensorView y) const { y.assign(x.array() / (1 + x.array().abs())); }
//     void backward(ConstTensorView x, ConstTensorView y, ConstTensorView dy, Gradient dx) const {
//       if (dx) dx += dy.array() / (1 + x.array().abs()).square();
//     }
//   };
//   inline Var softsign(Var x) { return apply(Softsign{}, x); }
//
// - shape(shapes...) gives the result's shape, or throws ShapeError.
// - forward(inputs..., y) writes every element of y. An op that would leave something for backward has
//   Shape saved(shapes...) and forward(inputs..., y, saved).
// - backward(inputs..., y, dy, dinputs...), or backward(inputs..., y, saved, dy, dinputs...), adds to each wanted
//   gradient.
// - An op on any number of inputs takes a std::span of each: shape(std::span<const Shape>),
//   forward(std::span<const ConstTensorView>, y), backward(std::span<const ConstTensorView>, y, dy,
//   std::span<Gradient>), and what it saves as above; apply_span(op, vars) calls it.
// - Its members are its attributes; it is copied into the tape's arena, which calls no destructors.

#include <array>
#include <concepts>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <utility>

#include "../core/function_ref.hpp"
#include "../core/set_while.hpp"
#include "tape.hpp"

namespace tapegrad::inline TAPEGRAD_ABI {

namespace detail {

/// What apply() and the backward loop do. What is the same for all ops is no template: there are many.
struct Recorder {
  template <class Op, std::size_t... i>
  static Var record(const Op& op, const std::array<Var, sizeof...(i)>& vars, std::index_sequence<i...>) {
    return record(type<Op, forward_of<Op, i...>, backward_of<Op, i...>>, &op, vars);
  }
  template <class Op>
  static Var record(const Op& op, std::span<const Var> vars) {
    return record(type<Op, forward_of_span<Op>, backward_of_span<Op>>, &op, vars);
  }
  /// A leaf of the same memory; if that is a parameter's, what reads it later must not find it changed.
  static Var detached(Var x) {
    Tape& tape = x.tape_for("detach");
    const Node& from = tape.node(x, "detach");
    Node node = Tape::leaf(from.value);
    node.detached = true;
    node.parameter = from.parameter;
    node.parameter_version = from.parameter_version;
    return tape.push(node);
  }

 private:
  template <class Op, auto forward, auto backward>
  static constexpr OpType type{Op::name, forward, backward};

  [[gnu::noinline]] static Var record(const OpType& op_type, const void* op, std::span<const Var> vars) {
    require<ValueError>(!vars.empty(), op_type.name, ": got no inputs; at least one is needed");
    Tape& tape = vars[0].tape_for(op_type.name);
    tape.require_idle();
    Node& node = tape.nodes_.emplace_back();
    try {
      std::uint32_t* const inputs = tape.arena_.allocate_array<std::uint32_t>(vars.size());
      bool requires_grad = false;
      for (std::size_t i = 0; i < vars.size(); ++i) {
        const Node& input = tape.node(vars[i], op_type.name);
        if (input.parameter)
          require_unchanged(op_type, input, "ask the tape for it again, or keep a copy (Tape::constant)");
        requires_grad |= input.requires_grad;
        inputs[i] = vars[i].index_;
      }
      node.type = &op_type;
      node.inputs = inputs;
      node.input_count = static_cast<std::uint32_t>(vars.size());
      node.requires_grad = requires_grad && tape.grad_enabled_;
      const SetWhile<const char*> running(tape.running_, op_type.name);
      const Stopwatch watch(tape.profiler_, op_type.name, &OpProfile::forward_seconds, 1);
      op_type.forward(tape, node, op);
      if (tape.anomaly_) [[unlikely]]
        tape.anomaly_->forward(tape, node);
      return tape.last();
    } catch (Error& error) {  // which learns in which op and layer it happened
      tape.nodes_.pop_back();
      error.name_op(op_type.name);
      if (tape.scope_) error.locate(tape.scope_->path());
      throw;
    } catch (...) {
      tape.nodes_.pop_back();
      throw;
    }
  }

  template <class Op, std::size_t... i>
  static void forward_of(Tape& tape, Node& node, const void* recorded) {
    const Op& op = *static_cast<const Op*>(recorded);
    const TensorView y = tape.allocate(op.shape(value(tape, node, i).shape()...));
    if constexpr (requires { op.saved(value(tape, node, i).shape()...); }) {
      op.forward(value(tape, node, i)..., y, allocate_saved(tape, node, op.saved(value(tape, node, i).shape()...)));
    } else {
      static_assert(
          !requires(Op & changing) { changing.saved(value(tape, node, i).shape()...); }, "saved() must be const");
      op.forward(value(tape, node, i)..., y);
    }
    finish(tape, node, y, op);
  }
  template <class Op>
  static void forward_of_span(Tape& tape, Node& node, const void* recorded) {
    const Op& op = *static_cast<const Op*>(recorded);
    const TensorView y = tape.allocate(op.shape(shapes(tape, node)));
    if constexpr (requires { op.saved(shapes(tape, node)); }) {
      op.forward(values(tape, node), y, allocate_saved(tape, node, op.saved(shapes(tape, node))));
    } else {
      static_assert(
          !requires(Op & changing) { changing.saved(shapes(tape, node)); }, "saved() must be const");
      op.forward(values(tape, node), y);
    }
    finish(tape, node, y, op);
  }
  static TensorView allocate_saved(Tape& tape, Node& node, const Shape& shape) {
    const TensorView saved = tape.allocate(shape);
    node.saved = std::construct_at(tape.arena_.allocate_array<ConstTensorView>(1), saved);
    return saved;
  }
  template <class Op>
  static void finish(Tape& tape, Node& node, TensorView y, const Op& op) {
    static_assert(std::is_trivially_destructible_v<Op>,
                  "an op's attributes live in the tape's arena, undestructed: in place of a container, let it hold the "
                  "std::span that Tape::keep gives");
    node.value = y;
    node.op = std::construct_at(tape.arena_.allocate_array<Op>(1), op);
  }

  template <class Op, std::size_t... i>
  static void backward_of(Tape& tape, const Node& node) {
    const Op& op = *static_cast<const Op*>(node.op);
    const ConstTensorView dy(node.gradient.data, node.value.shape());
    if constexpr (requires { op.saved(value(tape, node, i).shape()...); }) {
      op.backward(unchanged(tape, node, i)..., node.value, *node.saved, dy, gradient(tape, node, i)...);
    } else {
      op.backward(unchanged(tape, node, i)..., node.value, dy, gradient(tape, node, i)...);
    }
  }
  template <class Op>
  static void backward_of_span(Tape& tape, const Node& node) {
    const ConstTensorView dy(node.gradient.data, node.value.shape());
    const Op& op = *static_cast<const Op*>(node.op);
    if constexpr (requires { op.saved(shapes(tape, node)); }) {
      op.backward(values(tape, node), node.value, *node.saved, dy, gradients(tape, node));
    } else {
      op.backward(values(tape, node), node.value, dy, gradients(tape, node));
    }
  }

  static const ConstTensorView& value(const Tape& tape, const Node& node, std::size_t i) {
    return tape.nodes_[node.inputs[i]].value;
  }
  /// The same; throws TapeError if it is a parameter's that was changed after the forward pass read it.
  static const ConstTensorView& unchanged(const Tape& tape, const Node& node, std::size_t i) {
    const Node& from = tape.nodes_[node.inputs[i]];
    if (from.parameter)
      require_unchanged(*node.type, from, "step the optimizer after all backward passes that go through it");
    return from.value;
  }
  /// Throws TapeError if a parameter was opened for writing after this node read it.
  [[gnu::noinline]] static void require_unchanged(const OpType& op, const Node& read, const char* advice) {
    if (read.parameter_version == read.parameter->version_) return;
    const std::string path = read.parameter->path();
    fail<TapeError>(
        {op.name, ": ", path.empty() ? "a parameter" : path, " was changed after this pass read it; ", advice});
  }
  static Gradient gradient(Tape& tape, const Node& node, std::size_t i) {
    return tape.gradient(tape.nodes_[node.inputs[i]]);
  }

  static std::span<const Shape> shapes(Tape& tape, const Node& node) {
    return gather<Shape>(tape, node, [&](std::size_t i) { return value(tape, node, i).shape(); });
  }
  static std::span<const ConstTensorView> values(Tape& tape, const Node& node) {
    return gather<ConstTensorView>(tape, node, [&](std::size_t i) { return value(tape, node, i); });
  }
  static std::span<Gradient> gradients(Tape& tape, const Node& node) {
    return gather<Gradient>(tape, node, [&](std::size_t i) {
      unchanged(tape, node, i);
      return gradient(tape, node, i);
    });
  }
  /// Something of each input, in the tape's memory.
  template <class T>
  [[gnu::noinline]] static std::span<T> gather(Tape& tape, const Node& node, FunctionRef<T(std::size_t)> of_input) {
    T* const gathered = tape.arena_.allocate_array<T>(node.input_count);
    for (std::size_t i = 0; i < node.input_count; ++i) std::construct_at(&gathered[i], of_input(i));
    return {gathered, node.input_count};
  }
};

}  // namespace detail

/// Computes an op and records it: the form is at the top of this file. Throws what the op throws, and TapeError for
/// inputs of no tape, of two, or of an earlier pass, for a parameter changed since it was read, and while an op runs.
template <class Op, std::same_as<Var>... Vars>
Var apply(const Op& op, Var first, Vars... others) {
  return detail::Recorder::record(op, {first, others...}, std::make_index_sequence<1 + sizeof...(Vars)>());
}

/// The same for an op on any number of inputs; ValueError for none. (A name of its own: beside a std::span, `apply`
/// alone finds std::apply.)
template <class Op>
Var apply_span(const Op& op, std::span<const Var> inputs) {
  return detail::Recorder::record(op, inputs);
}

/// The same value, of which backward passes know nothing. It shares memory with `x`.
[[nodiscard]] inline Var detach(Var x) { return detail::Recorder::detached(x); }

}  // namespace tapegrad::inline TAPEGRAD_ABI
