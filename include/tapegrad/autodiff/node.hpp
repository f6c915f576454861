#pragma once
// What the tape is made of.

#include <cstdint>

#include "gradient.hpp"

namespace tapegrad::inline TAPEGRAD_ABI {

class Tape;

namespace detail {

struct Node;

/// What is the same for all nodes of one kind of op.
struct OpType {
  const char* name;
  void (*forward)(Tape& tape, Node& node, const void* op);  // computes the node's value, and keeps the op
  void (*backward)(Tape& tape, const Node& node);
};

/// One value on the tape. The numbers, the op and the lists lie in the arena, but for a borrowed value and a
/// parameter's.
struct Node {
  Node() {}  // were it defaulted, std::vector would set all bytes to 0 before: a tenth of a tiny op's time

  ConstTensorView value;
  GradientSlot gradient;
  const OpType* type = nullptr;           // null for a leaf
  const void* op = nullptr;               // the op struct with its attributes
  const std::uint32_t* inputs = nullptr;  // their positions on the tape
  std::uint32_t input_count = 0;
  bool requires_grad = false;
  bool detached = false;                   // shares a parameter's memory, but gives it no gradient
  const ConstTensorView* saved = nullptr;  // what forward left for backward, for ops that do
  Parameter* parameter = nullptr;
  std::uint64_t parameter_version = 0;  // when the value was read

  bool is_parameter() const { return parameter != nullptr && !detached; }
  const char* made_by() const {
    if (type) return type->name;
    if (is_parameter()) return "parameter";
    return requires_grad ? "variable" : "constant";
  }
};

}  // namespace detail
}  // namespace tapegrad::inline TAPEGRAD_ABI
