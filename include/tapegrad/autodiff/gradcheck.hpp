#pragma once
// Is a backward right? Compared with central differences, for one's own ops and for whole functions.

#include <algorithm>
#include <cmath>
#include <concepts>
#include <initializer_list>
#include <limits>
#include <vector>

#include "tape.hpp"

namespace tapegrad::inline TAPEGRAD_ABI {

/// Options of gradcheck.
struct GradcheckOptions {
  /// Each element x is moved by +- step * max(1, |x|). The cube root of the scalar's precision balances what is cut
  /// off against what is rounded off.
  double step = std::cbrt(static_cast<double>(std::numeric_limits<Scalar>::epsilon()));
  /// The largest |a - n| / max(1, |a|, |n|) that passes, a by backward and n by differences.
  double tolerance = std::is_same_v<Scalar, double> ? 1e-6 : 1e-2;
};

/// What `gradcheck` found: true if all is well. The numbers are of the element where the two differ most.
struct [[nodiscard]] GradcheckResult {
  bool ok = true;
  double error = 0;       ///< |analytic - numeric| / max(1, |analytic|, |numeric|)
  std::size_t input = 0;  ///< which input
  Index element = 0;      ///< which of its elements, in row-major order
  double analytic = 0;    ///< the derivative by backward
  double numeric = 0;     ///< the derivative by differences
  double tolerance = 0;   ///< what the error was held to

  explicit operator bool() const { return ok; }
  /// One line: where, both derivatives, and the error against the tolerance.
  std::string message() const {
    return detail::concat("gradcheck: ", ok ? "ok; worst at " : "", "input ", input, ", element ", element,
                          ": backward gives ", analytic, ", differences give ", numeric, "; their relative error ",
                          error, ok ? " is within " : " must be within ", tolerance);
  }
};

/// Compares the gradients of `f(std::span<const Var>) -> Var` at `inputs` with central differences. The result may have
/// any shape: each of its elements counts, by a fixed pseudo-random weight. Stay away from kinks, which have no
/// derivative. Meant for a build with TAPEGRAD_SCALAR=double; in float the default tolerance is loose.
///
///     REQUIRE(tg::gradcheck([](std::span<const tg::Var> v) { return my_op(v[0], v[1]); }, {x, y}));
///
/// Throws ValueError if f gives two values for the same inputs: random draws belong outside of it; and if no input has
/// an element.
template <std::invocable<std::span<const Var>> F>
GradcheckResult gradcheck(const F& f, std::span<const Tensor> inputs, const GradcheckOptions& options = {}) {
  detail::require<ValueError>(std::ranges::any_of(inputs, [](const Tensor& input) { return input.size() > 0; }),
                              "gradcheck: got ", inputs.size(),
                              " inputs without elements; there is nothing to compare");
  Tape tape;
  std::vector<Tensor> points(inputs.begin(), inputs.end());
  std::vector<Var> vars;
  const auto record = [&] {
    tape.reset();
    vars.clear();
    for (const Tensor& point : points) vars.push_back(tape.variable(point));
    return Var(f(std::span<const Var>(vars)));
  };

  const Tensor value(record().value());
  Tensor weights(value.shape());
  Rng rng(1);
  for (Scalar& weight : weights.span())
    weight = static_cast<Scalar>((rng.uniform() < 0.5 ? -1 : 1) * (0.5 + rng.uniform()));
  const Var root = record();
  detail::require<ValueError>(same_bits(root.value(), value),
                              "gradcheck: f gave two values for the same inputs; draw random numbers outside of it");
  root.backward(weights);
  std::vector<Tensor> gradients;
  for (Var var : vars) gradients.emplace_back(var.grad());

  GradcheckResult result{.error = -1};  // less than any
  for (std::size_t input = 0; input < points.size(); ++input) {
    for (Index i = 0; i < points[input].size(); ++i) {
      Scalar& x = points[input][i];
      const Scalar middle = x;
      const double step = options.step * std::fmax(1, std::abs(static_cast<double>(x)));
      const auto value_at = [&](double moved) {
        x = static_cast<Scalar>(moved);
        return Tensor(record().value());
      };
      const Tensor above = value_at(static_cast<double>(middle) + step);
      double distance = static_cast<double>(x);  // what was really moved, after rounding
      const Tensor below = value_at(static_cast<double>(middle) - step);
      distance -= static_cast<double>(x);
      x = middle;

      double difference = 0;
      for (Index j = 0; j < value.size(); ++j)
        difference += static_cast<double>(weights[j]) * (static_cast<double>(above[j]) - static_cast<double>(below[j]));
      const double numeric = difference / distance;
      const double analytic = static_cast<double>(gradients[input][i]);
      const double error =
          std::abs(analytic - numeric) / std::fmax(1, std::fmax(std::abs(analytic), std::abs(numeric)));
      if (!(error <= result.error) && !std::isnan(result.error))
        result = {error <= options.tolerance, error, input, i, analytic, numeric, options.tolerance};
    }
  }
  return result;
}
template <std::invocable<std::span<const Var>> F>
GradcheckResult gradcheck(const F& f, std::initializer_list<Tensor> inputs, const GradcheckOptions& options = {}) {
  return gradcheck(f, std::span<const Tensor>(inputs.begin(), inputs.size()), options);
}

}  // namespace tapegrad::inline TAPEGRAD_ABI
