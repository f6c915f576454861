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
//   std::span<Gradient>).
// - Its members are its attributes; it is copied into the tape's arena, which calls no destructors.

#include <concepts>

#include "tape.hpp"

namespace tapegrad::inline TAPEGRAD_ABI {

namespace detail {

/// What apply() and the backward loop do for one kind of op.
struct Recorder {
  template <class Op, class... Vars>
  static Var record(const Op& op, Var first, Vars... others) {
    Tape& tape = first.tape();
    return located(tape, [&] {
      return record(tape, op, {first.index_, others.index_...}, tape.node(first, Op::name),
                    tape.node(others, Op::name)...);
    });
  }

  template <class Op>
  static Var record(const Op& op, std::span<const Var> vars) {
    require<ValueError>(!vars.empty(), Op::name, ": got no inputs; at least one is needed");
    Tape& tape = vars[0].tape();
    return located(tape, [&] {
      const std::size_t count = vars.size();
      const std::span indices(tape.arena_.allocate_array<std::uint32_t>(count), count);
      const std::span shapes(tape.arena_.allocate_array<Shape>(count), count);
      const std::span values(tape.arena_.allocate_array<ConstTensorView>(count), count);
      Node node;
      for (std::size_t i = 0; i < count; ++i) {
        const Node& input = tape.node(vars[i], Op::name);
        indices[i] = vars[i].index_;
        std::construct_at(&shapes[i], input.value.shape());
        std::construct_at(&values[i], input.value);
        node.requires_grad |= input.requires_grad;
      }
      const Stopwatch watch(tape.profiler_, Op::name, &OpProfile::forward_seconds, 1);
      const TensorView y = tape.allocate(op.shape(std::span<const Shape>(shapes)));
      op.forward(std::span<const ConstTensorView>(values), y);
      return finish<backward_of_span<Op>>(tape, node, op, y, indices);
    });
  }

 private:
  /// Runs `body`; an error on its way out learns in which layer it happened.
  template <class Body>
  static Var located(Tape& tape, const Body& body) {
    try {
      return body();
    } catch (Error& error) {
      if (tape.scope_) error.locate(tape.scope_->path());
      throw;
    }
  }

  template <class Op, class... Nodes>
  static Var record(Tape& tape, const Op& op, const std::uint32_t (&indices)[sizeof...(Nodes)],
                    const Nodes&... inputs) {
    const Stopwatch watch(tape.profiler_, Op::name, &OpProfile::forward_seconds, 1);
    Node node;
    node.requires_grad = (inputs.requires_grad || ...);
    const TensorView y = tape.allocate(op.shape(inputs.value.shape()...));
    if constexpr (requires { op.saved(inputs.value.shape()...); }) {
      const TensorView saved = tape.allocate(op.saved(inputs.value.shape()...));
      op.forward(inputs.value..., y, saved);
      node.saved = std::construct_at(tape.arena_.allocate_array<ConstTensorView>(1), saved);
    } else {
      op.forward(inputs.value..., y);
    }
    const std::span kept(tape.arena_.allocate_array<std::uint32_t>(sizeof...(Nodes)), sizeof...(Nodes));
    std::copy(std::begin(indices), std::end(indices), kept.begin());
    return finish<backward_of<Op, sizeof...(Nodes)>>(tape, node, op, y, kept);
  }

  template <auto backward, class Op>
  static Var finish(Tape& tape, Node& node, const Op& op, TensorView y, std::span<const std::uint32_t> inputs) {
    static_assert(std::is_trivially_destructible_v<Op>, "an op's attributes live in the tape's arena, undestructed");
    node.value = y;
    node.requires_grad = node.requires_grad && tape.grad_enabled_;
    node.type = &type<Op, backward>;
    node.op = std::construct_at(tape.arena_.allocate_array<Op>(1), op);
    node.inputs = inputs.data();
    node.input_count = static_cast<std::uint32_t>(inputs.size());
    if (tape.detects_anomaly_) [[unlikely]]
      AnomalyCheck::forward(tape, node);
    return tape.push(node);
  }

  template <class Op, auto backward>
  static constexpr OpType type{Op::name, backward};

  /// An input's value; throws TapeError if it is a parameter's that was changed after the forward pass read it.
  static const ConstTensorView& input(const Tape& tape, const Node& node, std::size_t i) {
    const Node& from = tape.nodes_[node.inputs[i]];
    require<TapeError>(!from.parameter || from.parameter_version == from.parameter->version_, node.type->name,
                       ": a parameter was changed between the forward pass and backward(); step the optimizer after ",
                       "all backward passes that go through it");
    return from.value;
  }

  template <class Op, std::size_t count>
  static void backward_of(Tape& tape, std::uint32_t index) {
    const Node& node = tape.nodes_[index];
    const Op& op = *static_cast<const Op*>(node.op);
    const ConstTensorView dy(node.gradient.data, node.value.shape());
    const auto call = [&]<std::size_t... i>(std::index_sequence<i...>) {
      if constexpr (requires { op.saved(input(tape, node, i).shape()...); }) {
        op.backward(input(tape, node, i)..., node.value, *node.saved, dy,
                    tape.gradient(tape.nodes_[node.inputs[i]])...);
      } else {
        op.backward(input(tape, node, i)..., node.value, dy, tape.gradient(tape.nodes_[node.inputs[i]])...);
      }
    };
    call(std::make_index_sequence<count>{});
  }

  template <class Op>
  static void backward_of_span(Tape& tape, std::uint32_t index) {
    const Node& node = tape.nodes_[index];
    const std::span values(tape.arena_.allocate_array<ConstTensorView>(node.input_count), node.input_count);
    const std::span gradients(tape.arena_.allocate_array<Gradient>(node.input_count), node.input_count);
    for (std::size_t i = 0; i < node.input_count; ++i) {
      std::construct_at(&values[i], input(tape, node, i));
      std::construct_at(&gradients[i], tape.gradient(tape.nodes_[node.inputs[i]]));
    }
    static_cast<const Op*>(node.op)->backward(std::span<const ConstTensorView>(values), node.value,
                                              ConstTensorView(node.gradient.data, node.value.shape()), gradients);
  }
};

}  // namespace detail

/// Computes an op and records it: the form is at the top of this file. Throws what the op throws, and TapeError for
/// inputs of an earlier pass or of two tapes.
template <class Op, std::same_as<Var>... Vars>
Var apply(const Op& op, Var first, Vars... others) {
  return detail::Recorder::record(op, first, others...);
}

/// The same for an op on any number of inputs. (A name of its own: beside a std::span, `apply` alone finds std::apply.)
template <class Op>
Var apply_span(const Op& op, std::span<const Var> inputs) {
  return detail::Recorder::record(op, inputs);
}

/// The same value, of which backward passes know nothing. It shares memory with `x`.
inline Var detach(Var x) { return x.tape().borrow(x.value()); }

}  // namespace tapegrad::inline TAPEGRAD_ABI
