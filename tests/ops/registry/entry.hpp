#pragma once
// The form of an entry in the registry of ops. An entry gives an op its value test, gradient check, bad-input test,
// test of extreme inputs, test of equal bits on any number of threads, and benchmark.

#include <functional>
#include <limits>
#include <string>
#include <tapegrad/autodiff/apply.hpp>
#include <vector>

namespace registry {

using tapegrad::Index, tapegrad::Rng, tapegrad::Scalar, tapegrad::Shape, tapegrad::Tensor, tapegrad::Var;

inline constexpr double inf = std::numeric_limits<double>::infinity();
inline constexpr double nan = std::numeric_limits<double>::quiet_NaN();

/// An array in double, for references: plain loops over it, none of the library's or Eigen's arithmetic.
struct Array {
  Shape shape;
  std::vector<double> data;

  explicit Array(const Shape& lengths) : shape(lengths), data(static_cast<std::size_t>(lengths.size())) {}
  explicit Array(tapegrad::ConstTensorView from) : Array(from.shape()) {
    for (Index i = 0; i < from.size(); ++i) (*this)[i] = static_cast<double>(from[i]);
  }
  double& operator[](Index i) { return data.at(static_cast<std::size_t>(i)); }
  double operator[](Index i) const { return data.at(static_cast<std::size_t>(i)); }
  /// Element (row, col), leading axes folded into rows.
  double& operator()(Index row, Index col) { return (*this)[row * shape.cols() + col]; }
  double operator()(Index row, Index col) const { return (*this)[row * shape.cols() + col]; }
};

/// Where an input's elements come from. One that is not differentiable is a constant on the tape.
struct Draw {
  std::function<double(Rng&)> next;
  bool differentiable = true;
};
inline Draw uniform(double low, double high) {
  return {[=](Rng& rng) { return low + (high - low) * rng.uniform(); }};
}
/// Within [-3, 3], at least 0.05 away from `kinks`, at which there is no derivative.
inline Draw anywhere(std::vector<double> kinks = {}) {
  return {[=](Rng& rng) {
    const auto near = [&](double x) {
      return std::any_of(kinks.begin(), kinks.end(), [=](double kink) { return std::abs(x - kink) < 0.05; });
    };
    double x = 6 * rng.uniform() - 3;
    while (near(x)) x = 6 * rng.uniform() - 3;
    return x;
  }};
}
/// 0, 1, .. count - 1.
inline Draw label(std::uint64_t count) {
  return {[=](Rng& rng) { return static_cast<double>(rng.below(count)); }, false};
}
inline Draw constant(Draw draw) { return {draw.next, false}; }

using Apply = std::function<Var(std::span<const Var>)>;

/// Inputs that must be refused with a ShapeError or ValueError.
struct Bad {
  std::vector<Tensor> inputs;
  std::string message;  ///< how the message must begin
  Apply apply = {};     ///< where it is not the entry's own
};
/// Zeros of these shapes, as bad inputs.
inline std::vector<Tensor> zeros(const std::vector<Shape>& shapes) { return {shapes.begin(), shapes.end()}; }

/// Exact results at the ends of the range. Inputs are tensors of one axis; gradients are those of the sum of the
/// results, not looked at if there are none.
struct Extreme {
  std::vector<std::vector<double>> inputs;
  std::vector<double> value;
  std::vector<std::vector<double>> gradients = {};
};

struct Entry {
  /// As in the table of docs/ops.md.
  std::string name;
  /// Tells entries of the same op apart: "axis 1".
  std::string variant = "";
  /// One for each input; the last serves those beyond.
  std::vector<Draw> draws = {anywhere()};
  /// The shapes of the inputs, case by case.
  std::vector<std::vector<Shape>> shapes = {{{}}, {{1}}, {{7}}, {{3, 5}}, {{2, 3, 5}}, {{67}}, {{0, 3}}};
  /// The shapes for the benchmark, and for the comparison of numbers of threads: large.
  std::vector<Shape> bench = {{128, 512}};
  Apply apply;
  /// What it computes, naively: from all elements,
  std::function<Array(std::span<const Array>)> reference = {};
  /// or, instead, from one element of each input, these being broadcast.
  std::function<double(std::span<const double>)> pointwise = {};
  std::vector<Bad> bad = {};
  std::vector<Extreme> extremes = {};
  /// Of the value in float, relative to max(1, |value|).
  double tolerance = 1e-6;

  std::string title() const { return variant.empty() ? name : name + ", " + variant; }
};

using Entries = std::vector<Entry>;

}  // namespace registry
