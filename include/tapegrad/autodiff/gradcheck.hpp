#pragma once
// Is a backward right? Compared with central differences, for one's own ops and for whole functions.

#include <algorithm>
#include <cmath>
#include <concepts>
#include <initializer_list>
#include <limits>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "../core/random.hpp"
#include "../core/set_while.hpp"
#include "tape.hpp"

namespace tapegrad::inline TAPEGRAD_ABI {

/// Options of gradcheck.
struct GradcheckOptions {
  /// Each element x is moved by +- step * max(1, |x|). The cube root of the scalar's precision balances what is cut
  /// off against what is rounded off.
  double step = std::cbrt(static_cast<double>(std::numeric_limits<Scalar>::epsilon()));
  /// The largest error that passes.
  double tolerance = std::is_same_v<Scalar, double> ? 1e-6 : 1e-2;
};

/// What `gradcheck` found: true if all is well. The numbers are of the element where the two differ most.
struct [[nodiscard]] GradcheckResult {
  bool ok = true;
  double error = 0;      ///< |analytic - numeric| / scale
  double scale = 0;      ///< the largest derivative with respect to that input, or the least that rounding lets one see
  bool rounded = false;  ///< whether it is the latter: in double, or with smaller values, one would see more
  std::size_t input = 0;  ///< which input; parameters count on from the inputs
  std::string name = {};  ///< what it is called: "input 0", "parameter 2 (encoder.weight, 512x784)"
  Index element = 0;      ///< which of its elements, in row-major order
  double analytic = 0;    ///< the derivative by backward
  double numeric = 0;     ///< the derivative by differences
  double tolerance = 0;   ///< what the error was held to

  explicit operator bool() const { return ok; }
  /// One line: where, both derivatives, and the error against the tolerance.
  std::string message() const {
    return detail::concat(
        "gradcheck: ", ok ? "ok; worst at " : "", name, ", element ", element, ": backward gives ", analytic,
        ", differences give ", numeric, " (of a weighted sum of the result); their difference is ", error, " of ",
        scale,
        rounded ? " (derivatives there are smaller, and rounding hides them)" : " (the largest derivative there)",
        " and ", ok ? "is" : "must be", " within ", tolerance);
  }
};

/// Compares the gradients of `f(std::span<const Var>) -> Var` at `inputs`, and with respect to `parameters` that f puts
/// on the tape itself, with central differences. The result may have any shape: each of its elements counts, by a fixed
/// pseudo-random weight. Frozen parameters, which get no gradient, are passed over. Stay away from kinks, which have no
/// derivative. Meant for a build with TAPEGRAD_SCALAR=double; in float the default tolerance is loose.
///
///     REQUIRE(tg::gradcheck([](std::span<const tg::Var> v) { return my_op(v[0], v[1]); }, {x, y}));
///     REQUIRE(tg::gradcheck([&](auto v) { return layer(v[0]); }, {x}, layer.parameters()));
///
/// Where values are large and derivatives small, differences drown in rounding: derivatives that small pass, whatever
/// backward gives, and the result says so (`rounded`).
///
/// Parameters have their values again in the end, whatever f throws, and the gradients of this check. Throws ValueError
/// if f gives two values for the same inputs: random draws belong outside of it; if nothing has an element, for a null
/// parameter, and for a step or a tolerance that is not positive.
template <std::invocable<std::span<const Var>> F>
GradcheckResult gradcheck(const F& f, std::span<const Tensor> inputs, std::span<Parameter* const> parameters,
                          const GradcheckOptions& options = {}) {
  detail::require_no_null("gradcheck", parameters);
  std::vector<Tensor> copies(inputs.begin(), inputs.end());
  std::vector<TensorView> points(copies.begin(), copies.end());
  for (Parameter* parameter : parameters)
    points.push_back(parameter->requires_grad() ? parameter->mutable_value() : TensorView());
  detail::require<ValueError>(std::ranges::any_of(points, [](TensorView point) { return !point.empty(); }),
                              "gradcheck: none of the ", points.size(),
                              " inputs has an element that is not frozen; there is nothing to compare");
  detail::require<ValueError>(options.step > 0 && options.tolerance > 0, "gradcheck: got step ", options.step,
                              " and tolerance ", options.tolerance, "; both must be positive");
  Tape tape;
  std::vector<Var> vars;
  const auto record = [&] {
    tape.reset();
    vars.clear();
    for (const Tensor& copy : copies) vars.push_back(tape.variable(copy));
    return Var(f(std::span<const Var>(vars)));
  };

  const Tensor value(record().value());
  Tensor weights(value.shape());
  Rng rng(1);
  for (Scalar& weight : weights.span()) {
    const double sign = rng.uniform() < 0.5 ? -1 : 1;
    weight = static_cast<Scalar>(sign * (0.5 + rng.uniform()));
  }
  for (Parameter* parameter : parameters) parameter->zero_grad();
  const Var root = record();
  detail::require<ValueError>(same_bits(root.value(), value),
                              "gradcheck: f gave two values for the same inputs; draw random numbers outside of it");
  root.backward(weights);
  std::vector<Tensor> gradients;
  for (Var var : vars) gradients.emplace_back(var.grad());
  for (const Parameter* parameter : parameters) gradients.emplace_back(parameter->grad());

  // What rounding of the values does to a difference, however small the derivatives are.
  double noise = 0;
  for (Index j = 0; j < value.size(); ++j) noise += std::abs(double{weights[j]} * double{value[j]});
  noise *= std::numeric_limits<Scalar>::epsilon() / options.step;

  const auto difference_quotient = [&](Scalar& x) {
    const Scalar middle = x;
    const detail::SetWhile<Scalar> put_back(x, middle);  // even if f throws: it may be a parameter's
    const double step = options.step * std::fmax(1, std::abs(double{middle}));
    const auto value_at = [&](double moved) {
      x = static_cast<Scalar>(moved);
      return Tensor(record().value());
    };
    const Tensor above = value_at(double{middle} + step);
    double distance = double{x};  // what was really moved, after rounding
    const Tensor below = value_at(double{middle} - step);
    distance -= double{x};
    double difference = 0;
    for (Index j = 0; j < value.size(); ++j) difference += double{weights[j]} * (double{above[j]} - double{below[j]});
    return difference / distance;
  };

  const auto name_of = [&](std::size_t input) {
    if (input < inputs.size()) return detail::concat("input ", input);
    const std::size_t number = input - inputs.size();
    return detail::described(*parameters[number], number);
  };
  GradcheckResult worst{.error = -1};  // less than any
  for (std::size_t input = 0; input < points.size(); ++input) {
    double largest = std::numeric_limits<double>::min();
    std::vector<double> numeric;
    for (Scalar& x : points[input].span()) {
      numeric.push_back(difference_quotient(x));
      largest = std::fmax(largest, std::abs(numeric.back()));
    }
    for (const Scalar analytic : gradients[input].span()) largest = std::fmax(largest, std::abs(double{analytic}));
    const bool rounded = noise / options.tolerance > largest;
    const double scale = rounded ? noise / options.tolerance : largest;
    for (Index i = 0; i < points[input].size(); ++i) {
      const double found = double{gradients[input][i]}, wanted = numeric[static_cast<std::size_t>(i)];
      const double error = std::abs(found - wanted) / scale;
      if (!(error <= worst.error) && !std::isnan(worst.error))
        worst = {error <= options.tolerance, error, scale, rounded, input, name_of(input), i, found, wanted,
                 options.tolerance};
    }
  }
  return worst;
}
template <std::invocable<std::span<const Var>> F>
GradcheckResult gradcheck(const F& f, std::span<const Tensor> inputs, const GradcheckOptions& options = {}) {
  return gradcheck(f, inputs, std::span<Parameter* const>(), options);
}
template <std::invocable<std::span<const Var>> F>
GradcheckResult gradcheck(const F& f, std::initializer_list<Tensor> inputs, const GradcheckOptions& options = {}) {
  return gradcheck(f, std::span<const Tensor>(inputs.begin(), inputs.size()), options);
}
template <std::invocable<std::span<const Var>> F>
GradcheckResult gradcheck(const F& f, std::initializer_list<Tensor> inputs, std::span<Parameter* const> parameters,
                          const GradcheckOptions& options = {}) {
  return gradcheck(f, std::span<const Tensor>(inputs.begin(), inputs.size()), parameters, options);
}

}  // namespace tapegrad::inline TAPEGRAD_ABI
