#pragma once

#include <cstdint>

#include "../core/tensor.hpp"

namespace tapegrad::inline TAPEGRAD_ABI {

class Tape;
namespace detail {
struct Node;
struct Recorder;
struct GraphWriter;
}  // namespace detail

/// A value on a tape: a handle of 16 bytes, to be passed by value. It lives until the tape's next `reset()`; using it
/// later throws TapeError. It must not outlive the tape, which is not checked.
class Var {
 public:
  /// Of no tape: something to assign to.
  Var() = default;

  /// The tape that it is on. Throws TapeError for a Var of no tape; all below do so for one of an earlier pass too.
  Tape& tape() const;
  Shape shape() const;
  /// The value itself, in the tape's memory.
  ConstTensorView value() const;
  /// The value of a Var with one element. Throws ShapeError for any other.
  double item() const;

  /// What made it: an op's name, or "parameter", "variable" or "constant".
  const char* op() const;
  /// Whether a gradient flows through it: it depends on a variable or a parameter that wants one.
  bool requires_grad() const;
  /// Computes the gradient of this scalar with respect to all that it depends on. Parameters and variables add it to
  /// what they have. Throws ShapeError unless there is one element, TapeError if nothing requires a gradient, and what
  /// an op throws: parameters and variables that it reached have no gradient then.
  void backward() const;
  /// The same for any shape, starting from `seed`: the gradient with respect to this Var. Throws ShapeError unless the
  /// shapes are equal.
  void backward(ConstTensorView seed) const;
  /// What the last backward pass found for it, zeros if it was not reached; of a variable or a parameter, the sum of
  /// what all passes found. Throws TapeError if it requires none.
  ConstTensorView grad() const;
  /// Forgets that, so that the next pass does not add to it; nothing, if it requires none.
  void zero_grad() const;

 private:
  friend class Tape;
  friend struct detail::Recorder;
  friend struct detail::GraphWriter;
  Var(Tape* tape, std::uint32_t index, std::uint32_t pass) : tape_(tape), index_(index), pass_(pass) {}
  /// Its tape, for `what`. Throws TapeError if it is of none.
  Tape& tape_for(const char* what) const;
  detail::Node& node_for(const char* what) const;

  Tape* tape_ = nullptr;
  std::uint32_t index_ = 0;
  std::uint32_t pass_ = 0;
};
static_assert(sizeof(Var) <= 16, "passed in two registers");

}  // namespace tapegrad::inline TAPEGRAD_ABI
