#pragma once
// How a tape runs backward, and the gradients that it leaves.

#include <cstdint>

#include "../core/set_while.hpp"
#include "tape.hpp"

namespace tapegrad::inline TAPEGRAD_ABI {

inline void Tape::backward(Var root, const ConstTensorView* seed) {
  require_idle();
  detail::Node& last = node(root, "backward");
  const Shape& shape = last.value.shape();
  detail::require<TapeError>(last.requires_grad, "backward: nothing this Var depends on requires a gradient; make its ",
                             "inputs with Tape::variable, or of parameters that are not frozen, outside of no_grad()");
  if (seed) {
    detail::require<ShapeError>(seed->shape() == shape, "backward: the seed is ", seed->shape(), ", the Var is ", shape,
                                "; the shapes must be equal");
  } else {
    detail::require<ShapeError>(shape.size() == 1, "backward: the Var's shape is ", shape,
                                "; reduce it to one element (sum, mean), or give the gradient with respect to it");
  }
  backward_call_ = detail::new_serial();  // of all tapes: a parameter may have a gradient from another
  const Gradient of_root = gradient(last);
  if (!of_root) return;  // a parameter, frozen since
  const auto [target, first] = of_root.target();
  for (Index i = 0; i < shape.size(); ++i) {
    const Scalar from = seed ? seed->data()[i] : Scalar{1};
    target.data()[i] = first ? from : target.data()[i] + from;
  }
  const detail::SetWhile<const char*> running(running_, nullptr);
  try {
    for (std::uint32_t index = root.index_ + 1; index-- > 0;) {
      const detail::Node& reached = nodes_[index];
      if (reached.type == nullptr || reached.gradient.stamp != backward_call_) continue;
      running_ = reached.type->name;
      const detail::Stopwatch watch(profiler_, running_, &OpProfile::backward_seconds, 0);
      if (anomaly_) [[unlikely]] {
        anomaly_->backward(*this, index);
      } else {
        reached.type->backward(*this, reached);
      }
    }
  } catch (Error& error) {
    forget_begun();
    error.name_op(running_);
    throw;
  } catch (...) {
    forget_begun();
    throw;
  }
}

inline ConstTensorView Tape::grad(Var var) {
  detail::Node& asked = node(var, "grad");
  detail::require<TapeError>(asked.requires_grad, "grad: this Var requires no gradient; make it with Tape::variable, ",
                             "outside of no_grad()");
  if (asked.parameter) return asked.parameter->grad();
  if (asked.gradient.holds(backward_call_, asked.type == nullptr)) return {asked.gradient.data, asked.value.shape()};
  if (asked.gradient.data == nullptr) asked.gradient.data = arena_.allocate_numbers(asked.value.shape().size());
  const TensorView zeros(asked.gradient.data, asked.value.shape());
  zeros.fill(0);
  return zeros;
}

inline void Tape::forget_begun() {
  for (detail::Node& node : nodes_)
    if (const Gradient begun = gradient(node); begun && begun.slot_->stamp == backward_call_) begun.slot_->stamp = 0;
}

}  // namespace tapegrad::inline TAPEGRAD_ABI
