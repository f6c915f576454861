#pragma once

#include <cmath>
#include <tapegrad/ops/softmax.hpp>

#include "entry.hpp"

namespace registry {

/// Each line of x along an axis, replaced by f(line).
inline Array map_lines(const Array& x, int axis, const std::function<std::vector<double>(std::vector<double>)>& f) {
  axis = x.shape.checked_axis(axis);
  Index inner = 1;
  for (int i = axis + 1; i < x.shape.rank(); ++i) inner *= x.shape[i];
  const Index length = x.shape[axis];
  std::vector<std::pair<Index, std::vector<double>>> lines;  // where each begins, and what it becomes
  const std::size_t result_length = f(std::vector<double>(static_cast<std::size_t>(length))).size();
  for (Index begin = 0; begin < x.shape.size(); ++begin) {
    if (begin / inner % length != 0) continue;
    std::vector<double> line;
    for (Index i = 0; i < length; ++i) line.push_back(x[begin + i * inner]);
    lines.emplace_back(begin, f(line));
  }
  Array result(x.shape.with(axis, static_cast<Index>(result_length)));
  for (const auto& [begin, line] : lines) {
    const Index outer = begin / inner / length, k = begin % inner;
    for (std::size_t i = 0; i < line.size(); ++i)
      result[(outer * static_cast<Index>(line.size()) + static_cast<Index>(i)) * inner + k] = line[i];
  }
  return result;
}
inline Array reshaped(Array x, const Shape& shape) {
  x.shape = shape;
  return x;
}

using Line = std::vector<double>;
inline double sum_line(const Line& x) {
  double total = 0;
  for (double element : x) total += element;
  return total;
}
inline double max_line(const Line& x) {
  double largest = -inf;
  for (double element : x) largest = element > largest || std::isnan(element) ? element : largest;
  return largest;
}
inline double logsumexp_line(const Line& x) {
  double total = 0;
  for (double element : x) total += std::exp(element);
  return std::log(total);
}
inline Line softmax_line(Line x) {
  const double log_total = logsumexp_line(x);
  for (double& element : x) element = std::exp(element - log_total);
  return x;
}
inline Line log_softmax_line(Line x) {
  const double log_total = logsumexp_line(x);
  for (double& element : x) element -= log_total;
  return x;
}

/// Shapes with an axis 1 and an axis -2, both not empty.
inline const std::vector<std::vector<Shape>> axis_shapes = {{{3, 5}},      {{1, 1}}, {{2, 3, 5}}, {{67, 2}},
                                                            {{2, 131, 3}}, {{0, 3}}, {{3, 4, 0}}, {{2, 1, 3, 2}}};
inline const std::vector<std::vector<Shape>> row_shapes = {{{1}}, {{7}}, {{3, 5}}, {{2, 3, 5}}, {{67}}, {{0, 3}}};
inline const std::vector<std::vector<Shape>> whole_shapes = {{{}}, {{1}}, {{7}}, {{3, 5}}, {{2, 3, 5}}, {{67}}};

/// The five entries of an op that reduces: everything, the last axis, others.
inline Entries reductions(const std::string& name, Var (*whole)(Var), Var (*along)(Var, int, tapegrad::ReduceOptions),
                          double (*line)(const Line&), double tolerance) {
  const auto lines = [=](const Array& x, int axis) {
    return map_lines(x, axis, [=](Line l) { return Line{line(l)}; });
  };
  const Bad beyond{zeros({{2, 3}}), name + ": axis 2 of a tensor of shape 2x3; axes run from -2 to 1",
                   [=](auto v) { return along(v[0], 2, {}); }};
  const Bad scalar{zeros({{}}), name + ": axis 0 of a scalar, which has none",
                   [=](auto v) { return along(v[0], 0, {}); }};
  return {
      {.name = name,
       .shapes = whole_shapes,
       .bench = {{67, 1031}},
       .apply = [=](auto v) { return whole(v[0]); },
       .reference = [=](auto x) { return reshaped(lines(reshaped(x[0], {x[0].shape.size()}), 0), {}); },
       .tolerance = tolerance},
      {.name = name,
       .variant = "axis -1",
       .shapes = row_shapes,
       .bench = {{67, 1031}},
       .apply = [=](auto v) { return along(v[0], -1, {}); },
       .reference = [=](auto x) { return reshaped(lines(x[0], -1), x[0].shape.without(-1)); },
       .bad = {beyond, scalar},
       .tolerance = tolerance},
      {.name = name,
       .variant = "axis -1, keepdim",
       .shapes = row_shapes,
       .apply = [=](auto v) { return along(v[0], v[0].shape().rank() - 1, {.keepdim = true}); },
       .reference = [=](auto x) { return lines(x[0], -1); },
       .tolerance = tolerance},
      {.name = name,
       .variant = "axis 1",
       .shapes = axis_shapes,
       .bench = {{3, 67, 331}},
       .apply = [=](auto v) { return along(v[0], 1, {}); },
       .reference = [=](auto x) { return reshaped(lines(x[0], 1), x[0].shape.without(1)); },
       .tolerance = tolerance},
      {.name = name,
       .variant = "axis -2, keepdim",
       .shapes = {{{3, 5}}, {{1, 1}}, {{2, 3, 5}}, {{67, 2}}, {{2, 131, 3}}},
       .bench = {{1031, 67}},
       .apply = [=](auto v) { return along(v[0], -2, {.keepdim = true}); },
       .reference = [=](auto x) { return lines(x[0], -2); },
       .tolerance = tolerance},
  };
}

/// The three entries of an op that turns lines into lines.
inline Entries line_maps(const std::string& name, Var (*whole)(Var), Var (*along)(Var, int), Line (*line)(Line)) {
  const Bad beyond{zeros({{2, 3}}), name + ": axis -3 of a tensor of shape 2x3; axes run from -2 to 1",
                   [=](auto v) { return along(v[0], -3); }};
  return {
      {.name = name,
       .apply = [=](auto v) { return whole(v[0]); },
       .reference =
           [=](auto x) { return reshaped(map_lines(reshaped(x[0], {x[0].shape.size()}), 0, line), x[0].shape); }},
      {.name = name,
       .variant = "axis -1",
       .shapes = row_shapes,
       .bench = {{67, 1031}},
       .apply = [=](auto v) { return along(v[0], -1); },
       .reference = [=](auto x) { return map_lines(x[0], -1, line); },
       .bad = {beyond}},
      {.name = name,
       .variant = "axis 1",
       .shapes = axis_shapes,
       .bench = {{3, 67, 331}},
       .apply = [=](auto v) { return along(v[0], 1); },
       .reference = [=](auto x) { return map_lines(x[0], 1, line); }},
  };
}

inline Entries reduce() {
  Entries sums = reductions("sum", tapegrad::sum, tapegrad::sum, sum_line, 1e-6);
  sums[0].shapes.push_back({{0, 3}});
  sums[0].extremes = {{{{1e8, 1, -1e8, 1}}, {2}}, {{{inf, 1}}, {inf}, {{1, 1}}}, {{{inf, -inf}}, {nan}}};

  Entries means = reductions(
      "mean", tapegrad::mean, tapegrad::mean, [](const Line& x) { return sum_line(x) / static_cast<double>(x.size()); },
      1e-6);
  means[0].bad = {{zeros({{0, 3}}), "mean: the input is 0x3; there is no mean of nothing"}};
  means[1].bad.push_back({zeros({{3, 0}}), "mean: axis 1 of 3x0 is empty; there is no mean of nothing"});
  means[0].extremes = {{{{3e38, 3e38}}, {3e38}, {{0.5, 0.5}}}};

  Entries maxima = reductions("max", tapegrad::max, tapegrad::max, max_line, 0);
  maxima[0].bad = {{zeros({{0, 3}}), "max: the input is 0x3; there is no maximum of nothing"}};
  maxima[1].bad.push_back({zeros({{3, 0}}), "max: the input is 3x0 (the axis to reduce last)"});
  maxima[0].extremes = {{{{-inf, -inf}}, {-inf}, {{1, 0}}},
                        {{{1, 5, 5, 2, 5}}, {5}, {{0, 1, 0, 0, 0}}},
                        {{{1, nan, 7, nan}}, {nan}, {{0, 1, 0, 0}}},
                        {{{-3, inf, inf}}, {inf}, {{0, 1, 0}}}};

  Entries logs = reductions("logsumexp", tapegrad::logsumexp, tapegrad::logsumexp, logsumexp_line, 1e-6);
  logs[1].extremes = {{{{-inf, -inf, -inf}}, {-inf}, {{0, 0, 0}}},
                      {{{-inf, 3, -inf}}, {3}, {{0, 1, 0}}},
                      {{{3e38, 3e38}}, {3e38}},
                      {{{1000, 1000, 1000, 1000}}, {1000 + 2 * std::log(2)}, {{0.25, 0.25, 0.25, 0.25}}},
                      {{{-1000, -1000}}, {-1000 + std::log(2)}, {{0.5, 0.5}}},
                      {{{1, inf}}, {inf}},
                      {{{1, nan}}, {nan}}};
  logs[0].extremes = logs[1].extremes;

  Entries softmaxes = line_maps("softmax", tapegrad::softmax, tapegrad::softmax, softmax_line);
  softmaxes[1].extremes = {{{{1000, 1000, -1000, -inf}}, {0.5, 0.5, 0, 0}, {{0, 0, 0, 0}}},
                           {{{-3e38, 3e38}}, {0, 1}, {{0, 0}}},
                           {{{-inf, -inf}}, {nan, nan}},
                           {{{1, nan}}, {nan, nan}}};
  Entries log_softmaxes = line_maps("log_softmax", tapegrad::log_softmax, tapegrad::log_softmax, log_softmax_line);
  log_softmaxes[1].extremes = {{{{1000, 0, -inf}}, {0, -1000, -inf}, {{-2, 1, 1}}},
                               {{{1e30, 1e30}}, {-std::log(2), -std::log(2)}, {{0, 0}}},
                               {{{1, nan}}, {nan, nan}}};

  Entries collected;
  for (const Entries& family : {sums, means, maxima, logs, softmaxes, log_softmaxes})
    collected.insert(collected.end(), family.begin(), family.end());
  return collected;
}

}  // namespace registry
