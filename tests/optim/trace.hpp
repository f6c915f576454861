#pragma once
// Optimizers against references that are written anew, in double, one element at a time, after what PyTorch's pages and
// the papers say. trace_test.cpp compiles it in float, trace_double_test.cpp in double, which leaves no room for
// excuses.

#include <cmath>
#include <functional>

#include "catch.hpp"
#include "setup.hpp"
#include "tapegrad/optim/adam.hpp"
#include "tapegrad/optim/rmsprop.hpp"
#include "tapegrad/optim/sgd.hpp"
#include "threads.hpp"

namespace optim_tests {

using namespace tg::optim;

inline constexpr double tolerance = sizeof(tg::Scalar) == sizeof(double) ? 1e-13 : 3e-6;

/// One element of a parameter, and whatever its rule remembers.
struct Element {
  double p;
  double m = 0;
  double v = 0;
  double b = 0;
};
/// The t-th update of an element, from t = 1.
using Rule = std::function<void(Element& e, double g, int t)>;

/// Runs an optimizer and a rule beside each other for 20 steps over arrays of four sizes, one of them longer than a
/// chunk of parallel_for. The second array gets no gradient at every third step, which must not count for it.
template <class Kind, class Options>
void check_trace_on(int threads, const Options& options, const Rule& rule) {
  const Threads guard(threads);
  Parameters parameters{{3}, {5, 7}, {1}, {2, 8200}};
  std::vector<std::vector<Element>> expected;
  std::vector<int> steps(parameters.all.size());
  for (const tg::Parameter* parameter : parameters.all) {
    auto& elements = expected.emplace_back();
    for (const tg::Scalar value : parameter->value().span()) elements.push_back({.p = double{value}});
  }
  Kind optimizer(parameters.all, options);
  for (int step = 1; step <= 20; ++step) {
    optimizer.zero_grad();
    for (std::size_t k = 0; k < parameters.all.size(); ++k) {
      if (k == 1 && step % 3 == 0) continue;
      tg::Tensor gradient(parameters[k].shape());
      parameters.rng.normal(gradient);
      add_gradient(parameters[k], gradient);
      ++steps[k];
      for (tg::Index i = 0; i < gradient.size(); ++i)
        rule(expected[k][static_cast<std::size_t>(i)], double{gradient[i]}, steps[k]);
    }
    optimizer.step();
  }
  for (std::size_t k = 0; k < parameters.all.size(); ++k) {
    double worst = 0;
    for (tg::Index i = 0; i < parameters[k].size(); ++i) {
      const double wanted = expected[k][static_cast<std::size_t>(i)].p;
      const double got = double{parameters[k].value()[i]};
      worst = std::max(worst, std::abs(got - wanted) / std::max(1.0, std::abs(wanted)));
    }
    INFO("array " << k << " of shape " << parameters[k].shape() << ", threads " << threads);
    CHECK(worst <= tolerance);
    CHECK(optimizer.states()[k].steps == steps[k]);
  }
}

template <class Kind, class Options>
void check_trace(const Options& options, const Rule& rule) {
  for (const int threads : {1, 2}) check_trace_on<Kind>(threads, options, rule);
}

TEST_CASE("SGD follows its rule") {
  check_trace<SGD>(SGDOptions{.lr = 0.1}, [](Element& e, double g, int) { e.p -= 0.1 * g; });
  check_trace<SGD>(SGDOptions{.lr = 0.1, .weight_decay = 0.3},
                   [](Element& e, double g, int) { e.p -= 0.1 * (g + 0.3 * e.p); });
}

TEST_CASE("SGD with momentum follows its rule") {
  check_trace<SGD>(SGDOptions{.lr = 0.1, .momentum = 0.9}, [](Element& e, double g, int) {
    e.b = 0.9 * e.b + g;
    e.p -= 0.1 * e.b;
  });
}

TEST_CASE("SGD with momentum, dampening and weight decay follows its rule: the first gradient is not damped") {
  check_trace<SGD>(SGDOptions{.lr = 0.1, .momentum = 0.8, .dampening = 0.4, .weight_decay = 0.1},
                   [](Element& e, double g, int t) {
                     g += 0.1 * e.p;
                     e.b = t == 1 ? g : 0.8 * e.b + 0.6 * g;
                     e.p -= 0.1 * e.b;
                   });
}

TEST_CASE("SGD with Nesterov's momentum follows its rule") {
  check_trace<SGD>(SGDOptions{.lr = 0.05, .momentum = 0.9, .weight_decay = 0.1, .nesterov = true},
                   [](Element& e, double g, int) {
                     g += 0.1 * e.p;
                     e.b = 0.9 * e.b + g;
                     e.p -= 0.05 * (g + 0.9 * e.b);
                   });
}

TEST_CASE("Adam follows its rule") {
  check_trace<Adam>(AdamOptions{.lr = 0.02}, [](Element& e, double g, int t) {
    e.m = 0.9 * e.m + 0.1 * g;
    e.v = 0.999 * e.v + 0.001 * g * g;
    const double m_hat = e.m / (1 - std::pow(0.9, t));
    const double v_hat = e.v / (1 - std::pow(0.999, t));
    e.p -= 0.02 * m_hat / (std::sqrt(v_hat) + 1e-8);
  });
}

TEST_CASE("Adam with weight decay, other betas and a large eps follows its rule") {
  check_trace<Adam>(AdamOptions{.lr = 0.05, .betas = {0.5, 0.9}, .eps = 0.1, .weight_decay = 0.2},
                    [](Element& e, double g, int t) {
                      g += 0.2 * e.p;
                      e.m = 0.5 * e.m + 0.5 * g;
                      e.v = 0.9 * e.v + 0.1 * g * g;
                      const double m_hat = e.m / (1 - std::pow(0.5, t));
                      const double v_hat = e.v / (1 - std::pow(0.9, t));
                      e.p -= 0.05 * m_hat / (std::sqrt(v_hat) + 0.1);
                    });
}

TEST_CASE("AdamW follows its rule") {
  check_trace<AdamW>(AdamWOptions{.lr = 0.05, .weight_decay = 0.2}, [](Element& e, double g, int t) {
    e.p -= 0.05 * 0.2 * e.p;
    e.m = 0.9 * e.m + 0.1 * g;
    e.v = 0.999 * e.v + 0.001 * g * g;
    const double m_hat = e.m / (1 - std::pow(0.9, t));
    const double v_hat = e.v / (1 - std::pow(0.999, t));
    e.p -= 0.05 * m_hat / (std::sqrt(v_hat) + 1e-8);
  });
}

TEST_CASE("Adam in the form of Burda's code follows its rule") {
  check_trace<Adam>(
      AdamOptions{.lr = 0.1, .betas = {0.99, 0.999}, .eps = 1e-4, .uncorrected_eps = true, .initial_v = 1},
      [](Element& e, double g, int t) {
        if (t == 1) e.v = 1;
        e.m += (1 - 0.99) * (g - e.m);
        e.v += (1 - 0.999) * (g * g - e.v);
        const double a = std::sqrt(1 - std::pow(0.999, t)) / (1 - std::pow(0.99, t));
        e.p -= 0.1 * a * e.m / (std::sqrt(e.v) + 1e-4);
      });
}

TEST_CASE("an uncorrected eps is felt more in the first steps") {
  check_trace<Adam>(AdamOptions{.lr = 0.02, .eps = 0.05, .uncorrected_eps = true}, [](Element& e, double g, int t) {
    e.m = 0.9 * e.m + 0.1 * g;
    e.v = 0.999 * e.v + 0.001 * g * g;
    const double rate = 0.02 * std::sqrt(1 - std::pow(0.999, t)) / (1 - std::pow(0.9, t));
    e.p -= rate * e.m / (std::sqrt(e.v) + 0.05);
  });
}

TEST_CASE("RMSprop follows its rule") {
  check_trace<RMSprop>(RMSpropOptions{.lr = 0.02, .alpha = 0.9, .eps = 1e-4, .weight_decay = 0.1},
                       [](Element& e, double g, int) {
                         g += 0.1 * e.p;
                         e.v = 0.9 * e.v + 0.1 * g * g;
                         e.p -= 0.02 * g / (std::sqrt(e.v) + 1e-4);
                       });
}

TEST_CASE("centred RMSprop with momentum follows its rule") {
  check_trace<RMSprop>(RMSpropOptions{.lr = 0.01, .alpha = 0.8, .eps = 0.01, .momentum = 0.7, .centered = true},
                       [](Element& e, double g, int) {
                         e.v = 0.8 * e.v + 0.2 * g * g;
                         e.m = 0.8 * e.m + 0.2 * g;
                         e.b = 0.7 * e.b + g / (std::sqrt(e.v - e.m * e.m) + 0.01);
                         e.p -= 0.01 * e.b;
                       });
}

}  // namespace optim_tests
