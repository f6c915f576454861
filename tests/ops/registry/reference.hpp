#pragma once
// What an entry says, carried out: its inputs drawn, its reference computed.

#include "entry.hpp"

namespace registry {

inline bool differentiable(const Entry& entry, std::size_t input) {
  return entry.draws[std::min(input, entry.draws.size() - 1)].differentiable;
}

inline std::vector<Tensor> draw(const Entry& entry, const std::vector<Shape>& shapes, Rng& rng) {
  std::vector<Tensor> inputs;
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    Tensor& input = inputs.emplace_back(shapes[i]);
    const Draw& source = entry.draws[std::min(i, entry.draws.size() - 1)];
    for (Scalar& element : input.span()) element = static_cast<Scalar>(source.next(rng));
  }
  return inputs;
}

/// Variables, or constants where an input is not differentiable.
inline std::vector<Var> record(const Entry& entry, tapegrad::Tape& tape, const std::vector<Tensor>& inputs) {
  std::vector<Var> vars;
  for (std::size_t i = 0; i < inputs.size(); ++i)
    vars.push_back(differentiable(entry, i) ? tape.variable(inputs[i]) : tape.constant(inputs[i]));
  return vars;
}

/// The element of `from` that stands at position `i` of `shape`, which `from` is broadcast to.
inline double broadcast_element(const Array& from, const Shape& shape, Index i) {
  Index position = 0, stride = 1;
  for (int axis = 1; axis <= shape.rank(); ++axis) {
    const Index along = i % shape[-axis];
    i /= shape[-axis];
    if (axis > from.shape.rank()) continue;
    if (from.shape[-axis] != 1) position += along * stride;
    stride *= from.shape[-axis];
  }
  return from[position];
}

/// What the op must give.
inline Array expected(const Entry& entry, const std::vector<Array>& inputs) {
  if (entry.reference) return entry.reference(inputs);
  std::vector<Index> lengths;
  for (int axis = 1; axis <= Shape::max_rank; ++axis) {
    Index length = -1;
    for (const Array& input : inputs)
      if (axis <= input.shape.rank() && (length < 0 || length == 1)) length = input.shape[-axis];
    if (length >= 0) lengths.insert(lengths.begin(), length);
  }
  Array result{Shape(lengths)};
  std::vector<double> elements(inputs.size());
  for (Index i = 0; i < result.shape.size(); ++i) {
    for (std::size_t k = 0; k < inputs.size(); ++k) elements[k] = broadcast_element(inputs[k], result.shape, i);
    result[i] = entry.pointwise(elements);
  }
  return result;
}

}  // namespace registry
