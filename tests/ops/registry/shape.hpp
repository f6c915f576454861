#pragma once

#include <tapegrad/ops/dropout.hpp>
#include <tapegrad/ops/pieces.hpp>
#include <tapegrad/ops/shape.hpp>

#include "entry.hpp"

namespace registry {

using tapegrad::concat;

using Position = std::array<Index, Shape::max_rank>;

/// Where element i of a tensor stands.
inline Position position_of(const Shape& shape, Index i) {
  Position position{};
  for (int axis = shape.rank() - 1; axis >= 0; --axis) {
    position[static_cast<std::size_t>(axis)] = i % shape[axis];
    i /= shape[axis];
  }
  return position;
}
inline Index number_of(const Shape& shape, const Position& position) {
  Index i = 0;
  for (int axis = 0; axis < shape.rank(); ++axis) i = i * shape[axis] + position[static_cast<std::size_t>(axis)];
  return i;
}
/// An array of this shape, whose element at a position is x's at from(position).
inline Array rearranged(const Array& x, const Shape& shape, const std::function<Position(Position)>& from) {
  Array result(shape);
  for (Index i = 0; i < shape.size(); ++i) result[i] = x[number_of(x.shape, from(position_of(shape, i)))];
  return result;
}

inline Array swapped(const Array& x, int a, int b) {
  const auto first = static_cast<std::size_t>(x.shape.checked_axis(a));
  const auto second = static_cast<std::size_t>(x.shape.checked_axis(b));
  return rearranged(x, x.shape.with(a, x.shape[b]).with(b, x.shape[a]), [=](Position at) {
    std::swap(at[first], at[second]);
    return at;
  });
}
inline Array sliced(const Array& x, int axis, Index begin, Index end) {
  const auto along = static_cast<std::size_t>(x.shape.checked_axis(axis));
  return rearranged(x, x.shape.with(axis, end - begin), [=](Position at) {
    at[along] += begin;
    return at;
  });
}
inline Array joined(std::span<const Array> parts, int axis) {
  const auto along = static_cast<std::size_t>(parts[0].shape.checked_axis(axis));
  Index length = 0;
  for (const Array& part : parts) length += part.shape[axis];
  Array result(parts[0].shape.with(axis, length));
  for (Index i = 0; i < result.shape.size(); ++i) {
    Position at = position_of(result.shape, i);
    const Array* part = parts.data();
    for (; at[along] >= part->shape[axis]; ++part) at[along] -= part->shape[axis];
    result[i] = (*part)[number_of(part->shape, at)];
  }
  return result;
}

inline std::vector<Index> indices_of(Var labels) {
  const auto elements = labels.value().span();
  return {elements.begin(), elements.end()};
}

inline Entries shapes() {
  const auto halves = [](Var x, int axis) {
    auto [left, right] = tapegrad::split<2>(x, axis);
    return concat({right, left, right}, axis);
  };
  const auto halves_reference = [](const Array& x, int axis) {
    const Index length = x.shape[axis];
    const Array left = sliced(x, axis, 0, length / 2), right = sliced(x, axis, length / 2, length);
    return joined(std::vector{right, left, right}, axis);
  };
  return {
      {.name = "reshape",
       .shapes = {{{2, 6}}, {{12}}, {{4, 3, 1}}},
       .bench = {{12, 4321}},
       .apply =
           [](auto v) {
             return reshape(v[0], {3, -1, 2});
           },
       .reference =
           [](auto x) {
             Array result = x[0];
             result.shape = {3, x[0].shape.size() / 6, 2};
             return result;
           },
       .bad = {{zeros({{2, 5}}), "reshape: 2x5 has 10 elements, the axes beside the -1 hold 6; they must divide it"},
               {zeros({{2, 5}}), "reshape: 2x5 has 10 elements, 3x4 has 12; the numbers must be equal",
                [](auto v) {
                  return reshape(v[0], Shape{3, 4});
                }},
               {zeros({{2, 5}}), "reshape: axis 1 has length -1; lengths are not negative, but for one -1",
                [](auto v) {
                  return reshape(v[0], {-1, -1});
                }},
               {zeros({{2, 5}}), "reshape: axis 0 has length -2",
                [](auto v) {
                  return reshape(v[0], {-2, 5});
                }},
               {zeros({{0, 5}}), "reshape: 0x5 has 0 elements, the axes beside the -1 hold 0",
                [](auto v) {
                  return reshape(v[0], {-1, 0});
                }},
               {zeros({{1}}), "reshape: 7 axes; at most 6 are supported",
                [](auto v) {
                  return reshape(v[0], {1, 1, 1, 1, 1, 1, 1});
                }}},
       .tolerance = 0},
      {.name = "transpose",
       .shapes = {{{3, 5}}, {{1, 7}}, {{67, 2}}, {{0, 3}}},
       .bench = {{331, 257}},
       .apply = [](auto v) { return transpose(v[0]); },
       .reference = [](auto x) { return swapped(x[0], 0, 1); },
       .bad = {{zeros({{7}}), "transpose: the input is 7; without axes it must be a matrix, with two axes"},
               {zeros({{2, 3, 4}}), "transpose: the input is 2x3x4; without axes it must be a matrix"}},
       .tolerance = 0},
      {.name = "transpose",
       .variant = "axes 0 and -1",
       .shapes = {{{7}}, {{3, 5}}, {{2, 3, 5}}, {{2, 1, 4, 3}}, {{3, 0, 2}}},
       .bench = {{31, 17, 129}},
       .apply = [](auto v) { return transpose(v[0], 0, -1); },
       .reference = [](auto x) { return swapped(x[0], 0, -1); },
       .bad = {{zeros({{2, 3}}), "transpose: axis 2 of a tensor of shape 2x3; axes run from -2 to 1",
                [](auto v) { return transpose(v[0], 0, 2); }},
               {zeros({{2, 3}}), "transpose: axis 7 of a tensor of shape 2x3; axes run from -2 to 1",
                [](auto v) { return transpose(v[0], 7, 9); }}},
       .tolerance = 0},
      {.name = "transpose",
       .variant = "axes 2 and 1",
       .shapes = {{{2, 3, 5}}, {{2, 3, 4, 5}}, {{1, 2, 3, 2, 2}}, {{2, 0, 3}}},
       .bench = {{3, 129, 17, 13}},
       .apply = [](auto v) { return transpose(v[0], 2, 1); },
       .reference = [](auto x) { return swapped(x[0], 2, 1); },
       .tolerance = 0},
      {.name = "broadcast_to",
       .shapes = {{{}}, {{1}}, {{5}}, {{3, 1}}, {{4, 1, 5}}, {{1, 3, 1}}, {{4, 3, 5}}},
       .bench = {{3, 1}},
       .apply =
           [](auto v) {
             return broadcast_to(v[0], {4, 3, 5});
           },
       .reference =
           [](auto x) {
             return rearranged(x[0], {4, 3, 5}, [&](Position at) {
               const Shape& from = x[0].shape;
               Position result{};
               for (int axis = 0; axis < from.rank(); ++axis)
                 if (from[axis] > 1)
                   result[static_cast<std::size_t>(axis)] = at[static_cast<std::size_t>(axis + 3 - from.rank())];
               return result;
             });
           },
       .bad = {{zeros({{3, 4}}),
                "broadcast_to: 3x4 does not broadcast to 4x3x5; the input's axes, from the last, must"},
               {zeros({{1, 4, 3, 5}}), "broadcast_to: 1x4x3x5 does not broadcast to 4x3x5"}},
       .tolerance = 0},
      {.name = "slice",
       .shapes = {{{7}}, {{3, 5}}, {{2, 3, 9}}, {{0, 4}}},
       .apply = [](auto v) { return slice(v[0], -1, 1, 4); },
       .reference = [](auto x) { return sliced(x[0], -1, 1, 4); },
       .bad = {{zeros({{2, 3}}), "slice: [1, 4) of axis 1 of 2x3; it must lie within [0, 3)"},
               {zeros({{2, 3}}), "slice: [-1, 2) of axis 0 of 2x3; it must lie within [0, 2)",
                [](auto v) { return slice(v[0], 0, -1, 2); }},
               {zeros({{2, 3}}),
                "slice: [2, 1) of axis 1 of 2x3; it must lie within [0, 3), and not end before it begins",
                [](auto v) { return slice(v[0], 1, 2, 1); }},
               {zeros({{2, 3}}), "slice: [2, -1) of axis 1 of 2x3; it must lie within [0, 3)",
                [](auto v) { return slice(v[0], 1, 2, -1); }},
               {zeros({{2, 3}}), "slice: axis 2 of a tensor of shape 2x3",
                [](auto v) { return slice(v[0], 2, 0, 1); }}},
       .tolerance = 0},
      {.name = "slice",
       .variant = "axis 0, nothing and the rest",
       .shapes = {{{5}}, {{4, 3}}, {{3, 2, 2}}},
       .apply =
           [](auto v) {
             return concat({slice(v[0], 0, 2, 2), slice(v[0], 0, 2, v[0].shape()[0])}, 0);
           },
       .reference = [](auto x) { return sliced(x[0], 0, 2, x[0].shape[0]); },
       .tolerance = 0},
      {.name = "split",
       .shapes = {{{2}}, {{3, 10}}, {{2, 3, 4}}, {{0, 4}}, {{3, 0}}},
       .apply = [=](auto v) { return halves(v[0], -1); },
       .reference = [=](auto x) { return halves_reference(x[0], -1); },
       .bad = {{zeros({{2, 5}}), "split: axis 1 of 2x5 has length 5; it must be a multiple of the 2 parts"},
               {zeros({{2, 4}}), "split: axis -3 of a tensor of shape 2x4", [=](auto v) { return halves(v[0], -3); }}},
       .tolerance = 0},
      {.name = "split",
       .variant = "axis 0",
       .shapes = {{{2}}, {{4, 3}}, {{6, 2, 3}}},
       .apply = [=](auto v) { return halves(v[0], 0); },
       .reference = [=](auto x) { return halves_reference(x[0], 0); },
       .tolerance = 0},
      {.name = "concat",
       .shapes = {{{2, 3}}, {{2, 3}, {2, 1}, {2, 5}}, {{7}, {0}, {2}}, {{2, 3, 1}, {2, 3, 4}}},
       .bench = {{128, 301}, {128, 211}},
       .apply = [](auto v) { return concat(v, -1); },
       .reference = [](auto x) { return joined(x, -1); },
       .bad = {{zeros({{2, 3}, {3, 3}}), "concat: input 1 is 3x3, input 0 is 2x3; all axes but axis 1 must be equal"},
               {zeros({{2, 3}, {2, 3}, {2}}), "concat: input 2 is 2, input 0 is 2x3"},
               {zeros({{2, 3}, {2, 3}}), "concat: axis 2 of a tensor of shape 2x3",
                [](auto v) { return concat(v, 2); }},
               {zeros({{2, 3}}), "concat: got no inputs", [](auto) { return concat({}, 0); }}},
       .tolerance = 0},
      {.name = "concat",
       .variant = "axis 0",
       .shapes = {{{2, 3}, {1, 3}, {0, 3}}, {{2}, {5}}, {{2, 3, 4}, {1, 3, 4}}},
       .bench = {{128, 301}, {67, 301}},
       .apply = [](auto v) { return concat(v, 0); },
       .reference = [](auto x) { return joined(x, 0); },
       .tolerance = 0},
      {.name = "gather_rows",
       .draws = {anywhere(), label(3)},
       .shapes = {{{3, 4}, {7}}, {{3}, {5}}, {{5, 2, 3}, {2}}, {{3, 2}, {0}}, {{3, 0}, {4}}},
       .bench = {{64, 301}, {517}},
       .apply = [](auto v) { return gather_rows(v[0], indices_of(v[1])); },
       .reference =
           [](auto x) {
             const Array& rows = x[1];
             return rearranged(x[0], x[0].shape.with(0, rows.shape.size()), [&](Position at) {
               at[0] = static_cast<Index>(rows[at[0]]);
               return at;
             });
           },
       .bad = {{{Tensor({3, 2}), Tensor({3}, {0, 2, 3})},
                "gather_rows: index 3 at position 2 is outside [0, 3), the rows of 3x2"},
               {{Tensor({3, 2}), Tensor({2}, {-1, 0})}, "gather_rows: index -1 at position 0 is outside [0, 3)"},
               {zeros({{}, {2}}), "gather_rows: the input is a scalar; it needs a first axis to gather from"}},
       .tolerance = 0},
      {.name = "dropout",
       .apply =
           [](auto v) {
             Rng rng(7);
             return dropout(v[0], 0.25, rng);
           },
       .reference =
           [](auto x) {
             Rng rng(7);
             Tensor kept(x[0].shape);
             rng.bernoulli(kept, 0.75);
             Array result = x[0];
             for (Index i = 0; i < kept.size(); ++i) result[i] = kept[i] != 0 ? result[i] / 0.75 : 0;
             return result;
           },
       .bad = {{zeros({{3}}), "dropout: got p = 1; it must be in [0, 1)",
                [](auto v) {
                  Rng rng(7);
                  return dropout(v[0], 1, rng);
                }},
               {zeros({{3}}), "dropout: got p = -0.1",
                [](auto v) {
                  Rng rng(7);
                  return dropout(v[0], -0.1, rng);
                }},
               {zeros({{3}}), "dropout: got p = nan",
                [](auto v) {
                  Rng rng(7);
                  return dropout(v[0], nan, rng);
                }}}},
  };
}

}  // namespace registry
