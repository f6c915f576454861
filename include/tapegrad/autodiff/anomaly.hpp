#pragma once
// What `Tape::detect_anomaly()` finds out about numbers.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "tape.hpp"

namespace tapegrad::inline TAPEGRAD_ABI::detail {

inline bool all_finite(ConstTensorView values) {
  return std::all_of(values.data(), values.data() + values.size(), [](Scalar x) { return std::isfinite(x); });
}

/// "input 0 (2x3) is within -1.5 to 4".
inline std::string range_of(const std::string& what, ConstTensorView values) {
  if (values.size() == 0) return concat(what, " (", values.shape(), ") is empty");
  const auto [least, most] = std::minmax_element(values.data(), values.data() + values.size());
  return concat(what, " (", values.shape(), ") is within ", *least, " to ", *most);
}

/// "2 of 6 elements of the result are not finite, the first is inf at [0, 1]".
inline std::string anomaly_of(const std::string& what, ConstTensorView values) {
  Index count = 0, first = -1;
  for (Index i = 0; i < values.size(); ++i) {
    if (std::isfinite(values.data()[i])) continue;
    if (count++ == 0) first = i;
  }
  return concat(count, " of ", values.size(), " elements of ", what, " are not finite, the first is ",
                values.data()[first], " at ", position(values.shape(), first));
}

inline std::string ranges_of(std::span<const ConstTensorView> inputs) {
  std::string ranges;
  for (std::size_t i = 0; i < inputs.size(); ++i)
    ranges += (i == 0 ? "" : ", ") + range_of(concat("input ", i), inputs[i]);
  return ranges;
}

inline std::vector<ConstTensorView> AnomalyCheck::inputs(const Tape& tape, const Node& node) {
  std::vector<ConstTensorView> values;
  for (std::size_t i = 0; i < node.input_count; ++i) values.push_back(tape.nodes_[node.inputs[i]].value);
  return values;
}

inline void AnomalyCheck::forward(Tape& tape, const Node& node) {
  const std::vector<ConstTensorView> inputs = AnomalyCheck::inputs(tape, node);
  if (!all_finite(node.value) && std::ranges::all_of(inputs, all_finite))
    throw AnomalyError(concat(node.type->name, ": ", anomaly_of("the result", node.value), "; ", ranges_of(inputs)));
  tape.paths_.resize(tape.nodes_.size());
  tape.paths_.back() = tape.scope_ ? tape.scope_->path() : "";
}

/// Runs the node's backward, and looks at the gradients before and after.
inline void AnomalyCheck::backward(Tape& tape, std::uint32_t index) {
  const Node& node = tape.nodes_[index];
  const ConstTensorView gradient(node.gradient.data, node.value.shape());
  const std::vector<ConstTensorView> inputs = AnomalyCheck::inputs(tape, node);
  const auto gradient_of = [&](std::size_t i) {  // as it is now; empty if there is none
    const Node& from = tape.nodes_[node.inputs[i]];
    const GradientSlot& slot = from.parameter ? from.parameter->slot_ : from.gradient;
    const bool there = from.requires_grad && slot.holds(tape.backward_call_, from.type == nullptr);
    return there ? ConstTensorView(slot.data, from.value.shape()) : ConstTensorView();
  };
  bool finite = all_finite(gradient) && std::ranges::all_of(inputs, all_finite);
  for (std::size_t i = 0; i < inputs.size(); ++i) finite = finite && all_finite(gradient_of(i));
  node.type->backward(tape, node);
  for (std::size_t i = 0; finite && i < inputs.size(); ++i) {
    if (all_finite(gradient_of(i))) continue;
    AnomalyError error(concat(node.type->name,
                              ": backward: ", anomaly_of(concat("the gradient of input ", i), gradient_of(i)), "; ",
                              ranges_of(inputs), ", ", range_of("the result's gradient", gradient)));
    if (index < tape.paths_.size()) error.locate(tape.paths_[index]);
    throw error;
  }
}

}  // namespace tapegrad::inline TAPEGRAD_ABI::detail
