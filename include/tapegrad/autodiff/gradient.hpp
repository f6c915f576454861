#pragma once

#include <cstdint>

#include "arena.hpp"
#include "parameter.hpp"

namespace tapegrad::inline TAPEGRAD_ABI {

/// Where an op's backward puts the gradient of one of its inputs. False if nobody wants that gradient.
///
/// The first contribution of a backward call assigns, later ones add; memory is taken at the first. Where an op has two
/// inputs, finish one before asking for the other: both may be the same Var.
class Gradient {
 public:
  /// Not wanted.
  Gradient() = default;

  explicit operator bool() const { return slot_ != nullptr; }

  /// Adds an Eigen array expression with as many elements as the input; nothing if the gradient is not wanted.
  template <class Expression>
  void operator+=(const Eigen::ArrayBase<Expression>& contribution) const {
    if (!*this) return;
    const auto [view, first] = target();
    first ? view.assign(contribution) : view.add(contribution);
  }

  struct Target {
    TensorView view;
    bool first;  ///< assign if true, else add
  };
  /// For those who write every element themselves. Throws TapeError if the gradient is not wanted.
  Target target() const {
    const bool first = begin();
    return {TensorView(slot_->data, *shape_), first};
  }
  /// For those who add to some elements only: holds zeros if this is the first contribution.
  TensorView accumulator() const {
    const auto [view, first] = target();
    if (first) view.fill(0);
    return view;
  }

 private:
  friend class Tape;
  Gradient(detail::GradientSlot& slot, const Shape& shape, detail::Arena& arena, std::uint64_t backward_call,
           bool of_leaf)
      : slot_(&slot), shape_(&shape), arena_(&arena), backward_call_(backward_call), of_leaf_(of_leaf) {}

  /// Sees that there is memory; whether this is the first contribution.
  [[gnu::noinline]] bool begin() const {
    detail::require<TapeError>(slot_ != nullptr, "Gradient: this one is not wanted; ask `if (dx)` before target() or ",
                               "accumulator()");
    const bool first = !slot_->holds(backward_call_, of_leaf_);
    if (slot_->data == nullptr) slot_->data = arena_->allocate_numbers(shape_->size());
    slot_->stamp = backward_call_;
    return first;
  }

  detail::GradientSlot* slot_ = nullptr;
  const Shape* shape_ = nullptr;
  detail::Arena* arena_ = nullptr;
  std::uint64_t backward_call_ = 0;
  bool of_leaf_ = false;
};

}  // namespace tapegrad::inline TAPEGRAD_ABI
