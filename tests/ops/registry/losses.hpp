#pragma once

#include <cmath>
#include <tapegrad/ops/classification.hpp>
#include <tapegrad/ops/densities.hpp>
#include <tapegrad/ops/losses.hpp>

#include "shape.hpp"

namespace registry {

using tapegrad::Reduction;
using Pointwise = double (*)(std::span<const double>);

/// The sum of f over the elements of inputs of one shape.
inline double sum_of(std::span<const Array> x, const std::function<double(std::span<const double>)>& f) {
  double total = 0;
  std::vector<double> elements(x.size());
  for (Index i = 0; i < x[0].shape.size(); ++i) {
    for (std::size_t k = 0; k < x.size(); ++k) elements[k] = x[k][i];
    total += f(elements);
  }
  return total;
}
inline Array scalar(double value) {
  Array result{Shape{}};
  result[0] = value;
  return result;
}

/// The three entries of a loss: none, sum, mean. `loss` takes the inputs and a reduction.
inline Entries losses(const std::string& name, const std::vector<Draw>& draws, std::vector<std::string> inputs,
                      const std::function<Var(std::span<const Var>, Reduction)>& loss, Pointwise term,
                      const std::vector<Bad>& bad = {}, const std::vector<Extreme>& extremes = {}) {
  const auto shaped = [&](std::vector<Shape> shapes) {
    std::vector<std::vector<Shape>> cases;
    for (const Shape& shape : shapes) cases.push_back(std::vector<Shape>(inputs.size(), shape));
    return cases;
  };
  std::vector<Bad> refused = bad;
  std::vector<Shape> unequal(inputs.size(), Shape{2, 3});
  unequal.back() = {3};
  if (inputs.size() > 1)
    refused.push_back({zeros(unequal),
                       name + ": " + inputs.front() + " is 2x3, " + inputs.back() + " is 3; the shapes must be equal"});
  const Bad nothing{zeros(std::vector<Shape>(inputs.size(), Shape{0, 3})),
                    name + ": the inputs are 0x3; there is no mean of nothing"};
  const std::vector<Shape> bench(inputs.size(), Shape{67, 1031});
  const std::vector<Shape> some = {{}, {7}, {3, 5}, {2, 3, 5}};
  return {
      {.name = name,
       .variant = "terms",
       .draws = draws,
       .shapes = shaped({{}, {1}, {7}, {3, 5}, {2, 3, 5}, {1025}, {0, 3}}),
       .bench = bench,
       .apply = [=](auto v) { return loss(v, Reduction::none); },
       .pointwise = term,
       .bad = refused,
       .extremes = extremes,
       .tolerance = 2e-6},
      {.name = name,
       .variant = "sum",
       .draws = draws,
       .shapes = shaped({{}, {7}, {3, 5}, {2, 3, 5}, {0, 3}}),
       .bench = bench,
       .apply = [=](auto v) { return loss(v, Reduction::sum); },
       .reference = [=](auto x) { return scalar(sum_of(x, term)); },
       .tolerance = 2e-6},
      {.name = name,
       .variant = "mean",
       .draws = draws,
       .shapes = shaped(some),
       .bench = bench,
       .apply = [=](auto v) { return loss(v, Reduction::mean); },
       .reference = [=](auto x) { return scalar(sum_of(x, term) / static_cast<double>(x[0].shape.size())); },
       .bad = {nothing},
       .tolerance = 2e-6},
  };
}

/// At least 0.1 apart, for a loss with a kink where both are equal.
inline const Draw below_zero = uniform(-3, -0.05), above_zero = uniform(0.05, 3);

inline double bce_term(std::span<const double> x) {
  return -(x[1] * std::fmax(std::log(x[0]), -100) + (1 - x[1]) * std::fmax(std::log(1 - x[0]), -100));
}
inline double logits_term(std::span<const double> x) {
  const double p = 1 / (1 + std::exp(-x[0]));
  return -(x[1] * std::log(p) + (1 - x[1]) * std::log(1 - p));
}
inline double normal_term(std::span<const double> x) {
  const double variance = std::exp(x[2]);
  return -std::log(std::sqrt(2 * 3.14159265358979323846 * variance)) - (x[0] - x[1]) * (x[0] - x[1]) / (2 * variance);
}

/// The entries of a loss of labels: none, sum, mean.
inline Entries label_losses(const std::string& name, const std::string& what, Draw draw,
                            Var (*loss)(Var, const std::vector<Index>&, Reduction),
                            double (*term)(const Array& x, Index row, Index label)) {
  const auto terms = [=](std::span<const Array> x) {
    Array result(x[1].shape);
    for (Index row = 0; row < x[1].shape.size(); ++row) result[row] = term(x[0], row, static_cast<Index>(x[1][row]));
    return result;
  };
  const auto total = [=](std::span<const Array> x) {
    double sum = 0;
    for (double element : terms(x).data) sum += element;
    return sum;
  };
  const std::vector<std::vector<Shape>> shapes = {{{1, 3}, {1}}, {{5, 3}, {5}}, {{67, 10}, {67}}, {{2, 1031}, {2}}};
  Entries entries = {
      {.name = name,
       .variant = "terms",
       .apply = [=](auto v) { return loss(v[0], indices_of(v[1]), Reduction::none); },
       .reference = terms,
       .bad = {{{Tensor({5, 3}), Tensor({4})},
                name + ": " + what + " are 5x3, there are 4 labels; " + what + " must be (n, classes)"},
               {{Tensor({5}), Tensor({5})}, name + ": " + what + " are 5, there are 5 labels"},
               {{Tensor({2, 3}), Tensor({2}, {0, 3})}, name + ": label 3 at position 1 is outside [0, 3), the classes"},
               {{Tensor({2, 3}), Tensor({2}, {-1, 0})}, name + ": label -1 at position 0 is outside [0, 3)"}}},
      {.name = name,
       .variant = "sum",
       .apply = [=](auto v) { return loss(v[0], indices_of(v[1]), Reduction::sum); },
       .reference = [=](auto x) { return scalar(total(x)); }},
      {.name = name,
       .variant = "mean",
       .apply = [=](auto v) { return loss(v[0], indices_of(v[1]), Reduction::mean); },
       .reference = [=](auto x) { return scalar(total(x) / static_cast<double>(x[1].shape.size())); },
       .bad = {{zeros({{0, 3}, {0}}), name + ": the inputs are 0x3; there is no mean of nothing"}}},
  };
  for (Entry& entry : entries) {
    entry.draws = {draw, label(3)};
    entry.shapes = shapes;
    entry.bench = {{5171, 10}, {5171}};
  }
  entries[0].shapes.push_back({{0, 3}, {0}});
  entries[1].shapes.push_back({{0, 3}, {0}});
  return entries;
}

inline Entries losses() {
  const Draw probability = uniform(0.05, 0.95), any = anywhere();
  const std::string rule = " is outside [0, 1]; scale images to [0, 1] (Normalize(0.5, 0.5) makes them [-1, 1])";
  const Tensor half({2, 3}, Scalar(0.5));
  const auto with = [&](Index at, double value) {
    Tensor result = half;
    result[at] = static_cast<Scalar>(value);
    return result;
  };
  const auto log_softmax_term = [](const Array& x, Index row, Index label) {
    double total = 0;
    for (Index j = 0; j < x.shape.cols(); ++j) total += std::exp(x(row, j));
    return std::log(total) - x(row, label);
  };

  Entries collected;
  for (const Entries& family : {
           losses("bce", {probability, uniform(0, 1)}, {"input", "target"},
                  [](auto v, Reduction r) { return bce(v[0], v[1], r); }, bce_term,
                  {{{half, with(4, -1)}, "bce: target -1 at [1, 1]" + rule},
                   {{half, with(0, 1.5)}, "bce: target 1.5 at [0, 0]" + rule},
                   {{half, with(5, nan)}, "bce: target nan at [1, 2]" + rule},
                   {{with(2, -0.25), half}, "bce: input -0.25 at [0, 2] is outside [0, 1]; it must be a probability"},
                   {{with(3, nan), half}, "bce: input nan at [1, 0] is outside [0, 1]"}},
                  {{{{0, 1, 0, 1}, {0, 0, 1, 1}}, {0, 100, 100, 0}, {{0, 1e12, -1e12, 0}, {100, -100, 100, -100}}}}),
           losses("bce_with_logits", {any, uniform(0, 1)}, {"logits", "target"},
                  [](auto v, Reduction r) { return bce_with_logits(v[0], v[1], r); }, logits_term,
                  {{{half, with(4, -1)}, "bce_with_logits: target -1 at [1, 1]" + rule},
                   {{half, with(5, nan)}, "bce_with_logits: target nan at [1, 2]" + rule}},
                  {{{{-1000, 1000, -1000, 1000}, {0, 0, 1, 1}}, {0, 1000, 1000, 0}, {{0, 1, -1, 0}}},
                   {{{0, 0, 0}, {0, 0.25, 1}}, {std::log(2), std::log(2), std::log(2)}, {{0.5, 0.25, -0.5}, {0, 0, 0}}},
                   {{{nan}, {0.5}}, {nan}}}),
           losses(
               "mse", {any}, {"input", "target"}, [](auto v, Reduction r) { return mse(v[0], v[1], r); },
               [](auto x) { return (x[0] - x[1]) * (x[0] - x[1]); }, {},
               {{{{inf, nan, 1e30}, {0, 0, 0}}, {inf, nan, inf}}}),
           losses(
               "l1", {below_zero, above_zero}, {"input", "target"},
               [](auto v, Reduction r) { return l1(v[0], v[1], r); }, [](auto x) { return std::abs(x[0] - x[1]); }, {},
               {{{{inf, 3, -2, nan}, {0, 3, 0, 0}}, {inf, 0, 2, nan}, {{1, 0, -1, nan}, {-1, 0, 1, nan}}}}),
           losses(
               "huber", {any}, {"input", "target"}, [](auto v, Reduction r) { return huber(v[0], v[1], r, 1.5); },
               [](auto x) {
                 const double d = std::abs(x[0] - x[1]);
                 return d < 1.5 ? d * d / 2 : 1.5 * (d - 0.75);
               },
               {{zeros({{2}, {2}}), "huber: delta is 0; it must be positive and finite",
                 [](auto v) { return huber(v[0], v[1], Reduction::mean, 0); }},
                {zeros({{2}, {2}}), "huber: delta is nan; it must be positive and finite",
                 [](auto v) { return huber(v[0], v[1], Reduction::mean, nan); }}},
               {{{{3, -3, 1.5, 0, inf}, {0, 0, 0, 0, 0}},
                 {3.375, 3.375, 1.125, 0, inf},
                 {{1.5, -1.5, 1.5, 0, 1.5}, {-1.5, 1.5, -1.5, 0, -1.5}}},
                {{{nan}, {0}}, {nan}, {{nan}, {nan}}}}),
           losses(
               "kl_standard_normal", {any}, {"mu", "log_var"},
               [](auto v, Reduction r) { return kl_standard_normal(v[0], v[1], r); },
               [](auto x) { return (x[0] * x[0] + std::exp(x[1]) - x[1] - 1) / 2; }, {},
               {{{{0, 0, 3}, {0, -200, 0}}, {0, 99.5, 4.5}, {{0, 0, 3}, {0, -0.5, 0}}}, {{{nan}, {0}}, {nan}}}),
           losses(
               "kl_normal", {any}, {"mu1", "log_var1", "mu2", "log_var2"},
               [](auto v, Reduction r) { return kl_normal(v[0], v[1], v[2], v[3], r); },
               [](auto x) {
                 const double d = x[0] - x[2];
                 return (x[3] - x[1] + (std::exp(x[1]) + d * d) / std::exp(x[3]) - 1) / 2;
               },
               {}, {{{{5}, {-120}, {5}, {-120}}, {0}, {{0}, {0}, {0}, {0}}}}),
           losses("normal_log_density", {any}, {"x", "mu", "log_var"},
                  [](auto v, Reduction r) { return normal_log_density(v[0], v[1], v[2], r); }, normal_term, {},
                  {{{{5}, {5}, {-120}}, {60 - 0.918938533}, {{0}, {0}, {-0.5}}}}),
           losses(
               "standard_normal_log_density", {any}, {"x"},
               [](auto v, Reduction r) { return standard_normal_log_density(v[0], r); },
               [](auto x) {
                 return normal_term(std::array{x[0], 0.0, 0.0});
               },
               {}, {{{{0, -3, inf, nan}}, {-0.918938533, -5.418938533, -inf, nan}, {{0, 3, -inf, nan}}}}),
           losses(
               "bernoulli_log_density", {uniform(0, 1), any}, {"x", "logits"},
               [](auto v, Reduction r) { return bernoulli_log_density(v[0], v[1], r); },
               [](auto x) {
                 return -logits_term(std::array{x[1], x[0]});
               },
               {{{with(4, -1), half}, "bernoulli_log_density: x -1 at [1, 1]" + rule}},
               {{{{0, 1, 1}, {1000, 1000, -1000}}, {-1000, 0, -1000}, {{1000, 1000, -1000}, {-1, 0, 1}}}}),
           label_losses("cross_entropy", "logits", any, tapegrad::cross_entropy, log_softmax_term),
           label_losses("nll", "log-probabilities", any, tapegrad::nll,
                        [](const Array&x, Index row, Index label) { return -x(row, label); }),
       })
    collected.insert(collected.end(), family.begin(), family.end());
  return collected;
}

}  // namespace registry
