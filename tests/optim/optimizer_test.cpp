#include <cmath>
#include <limits>
#include <memory>

#include "catch.hpp"
#include "setup.hpp"
#include "tapegrad/nn/module.hpp"
#include "tapegrad/optim/adam.hpp"
#include "tapegrad/optim/rmsprop.hpp"
#include "tapegrad/optim/sgd.hpp"
#include "threads.hpp"

namespace tg = tapegrad;
using namespace tg::optim;
using optim_tests::add_gradient, optim_tests::Parameters;

namespace {
double only(const tg::Parameter& parameter) { return parameter.value().item(); }

/// What a step by a rate of 0.05 leads to, whether the optimizer was made with that or `told` later.
template <class AnOptimizer, class Options>
tg::Tensor after_a_step(bool told) {
  Parameters parameters{{3}};
  AnOptimizer optimizer(parameters.all, Options{.lr = told ? 0.5 : 0.05, .weight_decay = 0.1});
  if (told) optimizer.set_lr(0.05);
  add_gradient(parameters[0], tg::Tensor({3}, {1, -2, 3}));
  optimizer.step();
  return tg::Tensor(parameters[0].value());
}
}  // namespace

TEST_CASE("a parameter without a gradient is left alone, and its steps are not counted") {
  Parameters parameters{{1}, {1}};
  Adam adam(parameters.all, {.lr = 0.5, .weight_decay = 0.1});
  const tg::Tensor before(parameters[1].value());
  add_gradient(parameters[0], tg::Tensor::ones({1}));
  adam.step();
  CHECK(tg::same_bits(parameters[1].value(), before));
  CHECK(adam.states()[0].steps == 1);
  CHECK(adam.states()[1].steps == 0);
}

TEST_CASE("zero_grad leaves nothing to step by") {
  Parameters parameters{{1}};
  SGD sgd(parameters.all, {.lr = 1});
  add_gradient(parameters[0], tg::Tensor::ones({1}));
  sgd.zero_grad();
  const double before = only(parameters[0]);
  sgd.step();
  CHECK(only(parameters[0]) == before);
}

TEST_CASE("a frozen parameter is left alone, also when it was frozen after it was used") {
  Parameters parameters{{1}};
  SGD sgd(parameters.all, {.lr = 1});
  tg::Tape tape;
  const tg::Var used = tape.parameter(parameters[0]);
  parameters[0].set_requires_grad(false);
  used.backward();
  CHECK_FALSE(parameters[0].has_grad());
  const double before = only(parameters[0]);
  sgd.step();
  CHECK(only(parameters[0]) == before);
  parameters[0].mutable_grad().fill(1);  // somebody's own
  sgd.step();
  CHECK(only(parameters[0]) == before);
  CHECK(sgd.states()[0].steps == 0);
}

TEST_CASE("a gradient outlives a time in which its parameter is frozen") {
  Parameters parameters{{1}};  // a discriminator's, which is frozen while the generator steps
  SGD sgd(parameters.all, {.lr = 1});
  const double before = only(parameters[0]);
  tg::Tape tape;
  tape.parameter(parameters[0]).backward();
  parameters[0].set_requires_grad(false);
  parameters[0].set_requires_grad(true);
  sgd.step();
  CHECK(only(parameters[0]) == Approx(before - 1));
}

TEST_CASE("a group has options and a learning rate of its own") {
  Parameters parameters{{1}, {1}, {1}};
  SGD sgd({&parameters[0]}, {.lr = 0.5});
  sgd.add_group({&parameters[1], &parameters[2]}, {.lr = 0.25, .weight_decay = 1});
  CHECK(sgd.groups() == 2);
  CHECK(sgd.lr() == 0.5);
  CHECK(sgd.lr(1) == 0.25);
  const double first = only(parameters[0]), second = only(parameters[1]);
  for (tg::Parameter* parameter : parameters.all) add_gradient(*parameter, tg::Tensor::ones({1}));
  sgd.step();
  CHECK(only(parameters[0]) == Approx(first - 0.5));
  CHECK(only(parameters[1]) == Approx(second - 0.25 * (1 + second)));

  sgd.set_lr(0.125, 1);
  CHECK(sgd.lr(0) == 0.5);
  CHECK(sgd.lr(1) == 0.125);
  sgd.set_lr(2);
  CHECK(sgd.lr(0) == 2);
  CHECK(sgd.lr(1) == 2);
  CHECK_THROWS_WITH(sgd.lr(2), "sgd: group 2 of 2; groups count from 0");

  const std::vector<double> rates{0.5, -1, 3};
  CHECK_THROWS_WITH(sgd.set_lr(rates), "sgd: got 3 learning rates for 2 groups; there may be one for each");
  CHECK_THROWS_WITH(sgd.set_lr(std::span(rates).first(2)), "sgd: lr = -1; it must be finite and not negative");
  CHECK(sgd.lr(0) == 2);
  sgd.set_lr(std::span(rates).first(1));
  CHECK(sgd.lr(0) == 0.5);
  CHECK(sgd.lr(1) == 2);
}

TEST_CASE("a step goes by the rate that was set last, and so does its decay") {
  CHECK(tg::same_bits(after_a_step<SGD, SGDOptions>(true), after_a_step<SGD, SGDOptions>(false)));
  CHECK(tg::same_bits(after_a_step<RMSprop, RMSpropOptions>(true), after_a_step<RMSprop, RMSpropOptions>(false)));
  CHECK(tg::same_bits(after_a_step<Adam, AdamOptions>(true), after_a_step<Adam, AdamOptions>(false)));
  CHECK(tg::same_bits(after_a_step<AdamW, AdamWOptions>(true), after_a_step<AdamW, AdamWOptions>(false)));
}

TEST_CASE("a group of AdamW has a decay of its own, decoupled too") {
  Parameters parameters{{1}, {1}};
  AdamW adamw({&parameters[0]}, {.lr = 0.1, .weight_decay = 0});
  adamw.add_group({&parameters[1]}, {.lr = 0.1, .weight_decay = 0.5});
  const double first = only(parameters[0]), second = only(parameters[1]);
  for (tg::Parameter* parameter : parameters.all) add_gradient(*parameter, tg::Tensor({1}));
  adamw.step();
  CHECK(only(parameters[0]) == first);
  CHECK(only(parameters[1]) == Approx(second * (1 - 0.1 * 0.5)));
}

TEST_CASE("AdamW is Adam with a decoupled decay, whatever its options") {
  Parameters one{{3}}, other{{3}};
  AdamW adamw(one.all, {.lr = 0.05, .betas = {0.5, 0.9}, .eps = 0.1, .weight_decay = 0.2});
  Adam adam(other.all,
            {.lr = 0.05, .betas = {0.5, 0.9}, .eps = 0.1, .weight_decay = 0.2, .decoupled_weight_decay = true});
  for (const tg::Scalar gradient : {1.f, -2.f, 3.f}) {
    for (Parameters* parameters : {&one, &other}) {
      (*parameters)[0].zero_grad();
      add_gradient((*parameters)[0], tg::Tensor({3}, gradient));
    }
    adamw.step();
    adam.step();
    CHECK(tg::same_bits(one[0].value(), other[0].value()));
  }
}

TEST_CASE("options that are not given are PyTorch's") {
  CHECK(SGDOptions{}.lr == 1e-3);
  CHECK(SGDOptions{}.weight_decay == 0);
  CHECK(AdamOptions{}.lr == 1e-3);
  CHECK(AdamOptions{}.betas == std::pair(0.9, 0.999));
  CHECK(AdamOptions{}.eps == 1e-8);
  CHECK(AdamOptions{}.weight_decay == 0);
  CHECK(AdamWOptions{}.lr == 1e-3);
  CHECK(AdamWOptions{}.betas == std::pair(0.9, 0.999));
  CHECK(AdamWOptions{}.eps == 1e-8);
  CHECK(AdamWOptions{}.weight_decay == 1e-2);
  CHECK(RMSpropOptions{}.lr == 1e-2);
  CHECK(RMSpropOptions{}.alpha == 0.99);
  CHECK(RMSpropOptions{}.eps == 1e-8);
  CHECK(RMSpropOptions{}.weight_decay == 0);
}

TEST_CASE("the state is there from the start, under PyTorch's names") {
  Parameters parameters{{2, 3}};
  const auto names = [](Optimizer&& optimizer) {
    std::string text;
    for (const auto& [name, value] : optimizer.states()[0].buffers) {
      text += std::string(name) + " ";
      CHECK(value.shape() == tg::Shape{2, 3});
    }
    return text;
  };
  CHECK(names(SGD(parameters.all)) == "");
  CHECK(names(SGD(parameters.all, {.momentum = 0.9})) == "momentum_buffer ");
  CHECK(names(Adam(parameters.all)) == "exp_avg exp_avg_sq ");
  CHECK(names(AdamW(parameters.all)) == "exp_avg exp_avg_sq ");
  CHECK(names(RMSprop(parameters.all)) == "square_avg ");
  CHECK(names(RMSprop(parameters.all, {.momentum = 0.9, .centered = true})) == "square_avg momentum_buffer grad_avg ");
}

TEST_CASE("an optimizer that was given another's state goes on to the same bits") {
  Parameters one{{7}}, other{{7}};
  Adam adam(one.all, {.lr = 0.1}), resumed(other.all, {.lr = 0.1});
  const auto step = [](Parameters& parameters, Adam& optimizer, tg::Scalar gradient) {
    optimizer.zero_grad();
    add_gradient(parameters[0], tg::Tensor({7}, gradient));
    optimizer.step();
  };
  for (const tg::Scalar gradient : {1.f, -2.f, 3.f}) step(one, adam, gradient);
  other[0].mutable_value().copy_from(one[0].value());
  ParameterState& to = resumed.states()[0];
  to.steps = adam.states()[0].steps;
  for (std::size_t i = 0; i < to.buffers.size(); ++i) to.buffers[i].value.copy_from(adam.states()[0].buffers[i].value);
  step(one, adam, 5);
  step(other, resumed, 5);
  CHECK(tg::same_bits(one[0].value(), other[0].value()));
}

TEST_CASE("steps have the same bits on any number of threads") {
  const auto run = [](int threads) {
    const Threads guard(threads);
    Parameters parameters{{3, 40001}, {7}, {9000}};
    Adam adam(parameters.all, {.lr = 0.1, .weight_decay = 0.01});
    SGD sgd(parameters.all, {.lr = 0.1, .momentum = 0.9});
    RMSprop rmsprop(parameters.all, {.momentum = 0.9, .centered = true});
    for (int step = 0; step < 3; ++step) {
      for (tg::Parameter* parameter : parameters.all) {
        tg::Tensor gradient(parameter->shape());
        parameters.rng.normal(gradient);
        parameter->zero_grad();
        add_gradient(*parameter, gradient);
      }
      adam.step();
      sgd.step();
      rmsprop.step();
    }
    std::vector<tg::Tensor> values;
    for (const tg::Parameter* parameter : parameters.all) values.emplace_back(parameter->value());
    return values;
  };
  const std::vector<tg::Tensor> expected = run(1);
  for (const int threads : {2, 3, 7}) {
    INFO("threads " << threads);
    const std::vector<tg::Tensor> values = run(threads);
    for (std::size_t i = 0; i < expected.size(); ++i) CHECK(tg::same_bits(values[i], expected[i]));
  }
}

TEST_CASE("a step that threw is not done again with the next") {
  struct Counts : tg::optim::ElementwiseOptimizer<tg::optim::SGDOptions> {
    explicit Counts(const std::vector<tg::Parameter*>& parameters) : ElementwiseOptimizer("counts") {
      add(parameters, {}, {});
    }
    void update_part(const Part&) override {
      if (++updates == 1) throw std::runtime_error("the first one");
    }
    int updates = 0;
  };
  Parameters parameters{{4}};
  Counts counts(parameters.all);
  add_gradient(parameters[0], tg::Tensor({4}));
  CHECK_THROWS_WITH(counts.step(), "the first one");
  counts.step();
  CHECK(counts.updates == 2);
}

TEST_CASE("moments that decay end at zero, not among the subnormal numbers") {
  Parameters parameters{{4}};
  Adam adam(parameters.all, {.betas = {0.5, 0.5}});
  SGD sgd(parameters.all, {.momentum = 0.5});
  RMSprop rmsprop(parameters.all, {.alpha = 0.5, .momentum = 0.5, .centered = true});
  add_gradient(parameters[0], tg::Tensor({4}, tg::Scalar(1e-3)));
  const auto step_all = [&] {
    adam.step();
    sgd.step();
    rmsprop.step();
  };
  step_all();
  parameters[0].zero_grad();
  add_gradient(parameters[0], tg::Tensor({4}));
  for (int step = 0; step < 1200; ++step) {
    step_all();
    for (Optimizer* optimizer : std::initializer_list<Optimizer*>{&adam, &sgd, &rmsprop})
      for (const auto& [name, value] : optimizer->states()[0].buffers)
        for (const tg::Scalar element : value.span()) {
          INFO(name << " = " << element << " after " << step << " steps");
          REQUIRE(std::fpclassify(element) != FP_SUBNORMAL);
        }
  }
  CHECK(adam.states()[0].buffers[0].value[0] == 0);
  CHECK(sgd.states()[0].buffers[0].value[0] == 0);
}

TEST_CASE("parameters that cannot be right are refused, and the optimizer is as before") {
  Parameters parameters{{2, 3}, {1}};
  CHECK_THROWS_WITH(Adam({}), "adam: got no parameters; there is nothing to optimise");
  CHECK_THROWS_WITH(SGD({&parameters[0], nullptr}), "sgd: parameter 1 is a null pointer");
  CHECK_THROWS_WITH(AdamW({&parameters[1], &parameters[0], &parameters[0]}),
                    "adamw: parameter 2 (2x3) is there already; each may be given once");
  SGD sgd({&parameters[0]}, {.lr = 0.5});
  CHECK_THROWS_AS(sgd.add_group({&parameters[1], &parameters[0]}, {}), tg::ValueError);
  CHECK(sgd.groups() == 1);
  CHECK(sgd.states().size() == 1);
  sgd.add_group({&parameters[1]}, {});
  CHECK(sgd.states().size() == 2);
}

TEST_CASE("gradients that are not finite are refused if one asks for it, and nothing has changed") {
  struct Model : tg::nn::Module {
    using Module::Module;
    tg::nn::Parameter scale{*this, "scale", tg::Tensor({2}, {1, 2})};
    tg::nn::Parameter shift{*this, "shift", tg::Tensor({2}, {3, 4})};
  };
  tg::Rng rng(1);
  Model model(rng);
  SGD sgd(model.parameters(), {.lr = 1});
  sgd.set_error_if_nonfinite(true);
  add_gradient(model.scale, tg::Tensor({2}, {1, 1}));
  add_gradient(model.shift, tg::Tensor({2}, {1, std::numeric_limits<tg::Scalar>::quiet_NaN()}));
  CHECK_THROWS_WITH(sgd.step(),
                    "sgd: the gradient of parameter 1 (shift, 2) has nan as its element 1; nothing was changed. "
                    "Tape::detect_anomaly() finds the op that made it, unless it came with data or weights");
  CHECK(model.scale.value()[0] == 1);
  CHECK(sgd.states()[0].steps == 0);
  model.shift.set_requires_grad(false);  // frozen: of no interest
  sgd.step();
  CHECK(model.scale.value()[0] == 0);
  sgd.set_error_if_nonfinite(false);
  model.shift.set_requires_grad(true);
  add_gradient(model.shift, tg::Tensor({2}, {1, std::numeric_limits<tg::Scalar>::quiet_NaN()}));
  sgd.step();
  CHECK(std::isnan(model.shift.value()[1]));
}

TEST_CASE("options that cannot be right are refused with the value") {
  Parameters parameters{{1}};
  const auto& all = parameters.all;
  CHECK_THROWS_WITH(SGD(all, {.lr = 1e39}), "sgd: lr = inf; it must be finite and not negative");
  CHECK_THROWS_WITH(Adam(all, {.eps = 1e-46}), "adam: eps = 0; it must be finite and positive");
  CHECK_THROWS_WITH(SGD(all, {.lr = NAN}), "sgd: lr = nan; it must be finite and not negative");
  CHECK_THROWS_WITH(Adam(all, {.lr = INFINITY}), "adam: lr = inf; it must be finite and not negative");
  CHECK_THROWS_WITH(RMSprop(all, {.lr = -0.5}), "rmsprop: lr = -0.5; it must be finite and not negative");
  CHECK_THROWS_WITH(SGD(all, {.momentum = -1}), "sgd: momentum = -1; it must be finite and not negative");
  CHECK_THROWS_WITH(SGD(all, {.momentum = 0.9, .dampening = 2}), "sgd: dampening = 2; it must be in [0, 1)");
  CHECK_THROWS_WITH(SGD(all, {.weight_decay = -1}), "sgd: weight_decay = -1; it must be finite and not negative");
  CHECK_THROWS_WITH(SGD(all, {.nesterov = true}),
                    "sgd: nesterov with momentum = 0 and dampening = 0; it needs momentum, and no dampening");
  CHECK_THROWS_WITH(SGD(all, {.momentum = 0.9, .dampening = 0.5, .nesterov = true}),
                    "sgd: nesterov with momentum = 0.9 and dampening = 0.5; it needs momentum, and no dampening");
  CHECK_THROWS_WITH(Adam(all, {.betas = {1, 0.999}}), "adam: betas.first = 1; it must be in [0, 1)");
  if (sizeof(tg::Scalar) == sizeof(float))
    CHECK_THROWS_WITH(Adam(all, {.betas = {0.9, 1 - 1e-9}}), "adam: betas.second = 1; it must be in [0, 1)");
  CHECK_THROWS_WITH(Adam(all, {.betas = {0.9, -0.1}}), "adam: betas.second = -0.1; it must be in [0, 1)");
  CHECK_THROWS_WITH(Adam(all, {.eps = 0}), "adam: eps = 0; it must be finite and positive");
  CHECK_THROWS_WITH(Adam(all, {.eps = 1e-160}),
                    ContainsSubstring(sizeof(tg::Scalar) == 4 ? "adam: eps = 0; it must be finite"
                                                              : "adam: eps = 1e-160; it must be at least"));
  if (sizeof(tg::Scalar) == sizeof(float)) CHECK_NOTHROW(AdamW(all, {.weight_decay = -1e-50}));  // 0 as a float
  CHECK_THROWS_WITH(AdamW(all, {.weight_decay = NAN}), "adamw: weight_decay = nan; it must be finite and not negative");
  CHECK_THROWS_WITH(Adam(all, {.initial_v = -1}), "adam: initial_v = -1; it must be finite and not negative");
  CHECK_THROWS_WITH(RMSprop(all, {.alpha = 1.5}), "rmsprop: alpha = 1.5; it must be in [0, 1)");
  CHECK_THROWS_WITH(RMSprop(all, {.eps = -1}), "rmsprop: eps = -1; it must be finite and positive");
  CHECK_THROWS_WITH(RMSprop(all, {.weight_decay = -1}),
                    "rmsprop: weight_decay = -1; it must be finite and not negative");
  CHECK_THROWS_WITH(RMSprop(all, {.momentum = NAN}), "rmsprop: momentum = nan; it must be finite and not negative");
  Adam adam(all);
  CHECK_THROWS_WITH(adam.set_lr(-1), "adam: lr = -1; it must be finite and not negative");
  CHECK(adam.lr() == 1e-3);
}

TEST_CASE("where the square of a gradient is 0, a step is no longer than where it is not") {
  if (sizeof(tg::Scalar) != sizeof(float)) return;
  Parameters parameters{{1}};
  CHECK_THROWS_WITH(Adam(parameters.all, {.eps = 1e-20}),
                    "adam: eps = 1e-20; it must be at least 3.42855e-18, as the squares of smaller gradients are 0");
  CHECK_THROWS_WITH(RMSprop(parameters.all, {.eps = 5e-19}),
                    ContainsSubstring("rmsprop: eps = 5e-19; it must be at least 1.0842e-18"));
  CHECK_NOTHROW(RMSprop(parameters.all, {.alpha = 0.75, .eps = 0x1p-62}));
  CHECK_THROWS_AS(RMSprop(parameters.all, {.alpha = 0.75, .eps = 0x1.fffffep-63}), tg::ValueError);
  const double before = only(parameters[0]);
  Adam adam(parameters.all, {.lr = 1e-3, .eps = 3.43e-18});
  add_gradient(parameters[0], tg::Tensor({1}, {tg::Scalar(3.42e-18)}));
  adam.step();
  CHECK(std::abs(only(parameters[0]) - before) <= 1.001e-3);
}

TEST_CASE("a gradient whose square overflows does not hold its parameter for good") {
  const auto check = [](auto make) {
    Parameters parameters{{1}};
    const auto optimizer = make(parameters.all);
    const auto step = [&](tg::Scalar gradient) {
      optimizer->zero_grad();
      add_gradient(parameters[0], tg::Tensor({1}, {gradient}));
      optimizer->step();
    };
    step(std::sqrt(std::numeric_limits<tg::Scalar>::max()) * 100);
    for (const auto& buffer : optimizer->states()[0].buffers) CHECK(std::isfinite(buffer.value.item()));
    for (int i = 0; i < 7500; ++i) step(1);  // the square decays to 1, in double too
    const double before = only(parameters[0]);
    for (int i = 0; i < 100; ++i) step(1);
    CHECK(only(parameters[0]) == Approx(before - 0.1).epsilon(0.01));
  };
  check([](const auto& p) { return std::make_unique<Adam>(p, AdamOptions{.lr = 1e-3, .betas = {0.9, 0.9}}); });
  check([](const auto& p) { return std::make_unique<RMSprop>(p, RMSpropOptions{.lr = 1e-3, .alpha = 0.9}); });
}

TEST_CASE("a gradient whose square overflows makes no longer a step than one whose does not; an infinite one shows") {
  const tg::Scalar most = std::numeric_limits<tg::Scalar>::max();
  const auto check = [&](auto make) {
    const auto after = [&](tg::Scalar gradient) {
      Parameters parameters{{1}};
      const auto optimizer = make(parameters.all);
      const double before = only(parameters[0]);
      for (const tg::Scalar slope : {tg::Scalar(1), tg::Scalar(1), gradient}) {
        optimizer->zero_grad();
        add_gradient(parameters[0], tg::Tensor({1}, {slope}));
        optimizer->step();
      }
      return only(parameters[0]) - before;
    };
    const tg::Scalar root = std::sqrt(most);
    const double step = after(root / 10);
    CHECK(std::abs(step) < 0.1);
    for (const tg::Scalar large : {root, root * 10, root * 1000, most}) {
      CHECK(after(large) == Approx(step).epsilon(1e-4));
      CHECK(after(-large) == Approx(after(-root / 10)).epsilon(1e-4));
    }
    CHECK(std::isnan(after(std::numeric_limits<tg::Scalar>::infinity())));
    CHECK(std::isnan(after(-std::numeric_limits<tg::Scalar>::infinity())));
  };
  check([](const auto& p) { return std::make_unique<Adam>(p, AdamOptions{.lr = 1e-3}); });
  check([](const auto& p) { return std::make_unique<Adam>(p, AdamOptions{.lr = 1e-3, .weight_decay = 1e-3}); });
  check([](const auto& p) { return std::make_unique<RMSprop>(p, RMSpropOptions{.lr = 1e-3}); });
}

TEST_CASE("moments at the bound on gradients stay finite") {
  Parameters parameters{{1}};
  Adam adam(parameters.all);
  RMSprop rmsprop(parameters.all, {.alpha = 0.999});
  for (int i = 0; i < 50000; ++i) {
    parameters[0].zero_grad();
    add_gradient(parameters[0], tg::Tensor({1}, {std::numeric_limits<tg::Scalar>::max()}));
    adam.step();
    rmsprop.step();
  }
  CHECK(std::isfinite(only(parameters[0])));
  for (auto* optimizer : std::initializer_list<Optimizer*>{&adam, &rmsprop})
    for (const auto& buffer : optimizer->states()[0].buffers) CHECK(std::isfinite(buffer.value.item()));
}

TEST_CASE("gradients that are not finite are taken as they are unless asked about") {
  Parameters parameters{{1}};
  SGD sgd(parameters.all, {.lr = 1});
  add_gradient(parameters[0], tg::Tensor({1}, {std::numeric_limits<tg::Scalar>::quiet_NaN()}));
  sgd.step();
  CHECK(std::isnan(only(parameters[0])));
}

TEST_CASE("what is infinite in centered rmsprop shows, and makes no step of 1/eps") {
  Parameters parameters{{1}};
  RMSprop rmsprop(parameters.all, {.lr = 1e-3, .centered = true});
  const tg::Scalar large = std::sqrt(std::numeric_limits<tg::Scalar>::max()) * 20;
  for (int step = 0; step < 50; ++step) {
    parameters[0].zero_grad();
    add_gradient(parameters[0], tg::Tensor({1}, {large}));
    rmsprop.step();
  }
  CHECK(std::isnan(parameters[0].value().item()));
}

TEST_CASE("gradients that stay the same have no variance below 0 in centered rmsprop") {
  Parameters parameters{{8}};
  RMSprop rmsprop(parameters.all, {.alpha = 0.5, .centered = true});
  const tg::Tensor gradient = Eigen::ArrayXd::LinSpaced(8, -1.3, 1.9);
  for (int step = 0; step < 50; ++step) {
    rmsprop.zero_grad();
    add_gradient(parameters[0], gradient);
    rmsprop.step();
    REQUIRE(parameters[0].value().array().isFinite().all());
  }
}

TEST_CASE("one gradient whose square overflows does not hold a parameter of centered rmsprop in silence") {
  Parameters parameters{{1}};
  RMSprop rmsprop(parameters.all, {.lr = 1e-3, .centered = true});
  const tg::Scalar large = std::sqrt(std::numeric_limits<tg::Scalar>::max()) * 20;
  for (const tg::Scalar gradient : {tg::Scalar(1), large, tg::Scalar(1)}) {
    parameters[0].zero_grad();
    add_gradient(parameters[0], tg::Tensor({1}, {gradient}));
    rmsprop.step();
  }
  CHECK(std::isnan(only(parameters[0])));
}

TEST_CASE("the means that rmsprop keeps are those of the gradients, with their sign") {
  Parameters parameters{{1}};
  RMSprop rmsprop(parameters.all, {.lr = 0.1, .alpha = 0.75, .centered = true});
  add_gradient(parameters[0], tg::Tensor({1}, {-2}));
  rmsprop.step();
  const auto& buffers = rmsprop.states()[0].buffers;
  CHECK(buffers.front().value.item() == 0.25 * 4);
  CHECK(buffers.back().value.item() == 0.25 * -2);
}

TEST_CASE("the share of a new square in rmsprop's mean is not rounded from 1") {
  Parameters parameters{{1}};
  RMSprop rmsprop(parameters.all, {.alpha = 0.999});
  add_gradient(parameters[0], tg::Tensor::ones({1}));
  rmsprop.step();
  CHECK(rmsprop.states()[0].buffers[0].value.item() == Approx(1e-3).epsilon(1e-6));
}

TEST_CASE("a group that was refused leaves no options behind") {
  Parameters parameters{{1}, {1}};
  SGD sgd({&parameters[0]}, {.lr = 1});
  CHECK_THROWS_AS(sgd.add_group({&parameters[0]}, {.lr = 1, .weight_decay = 0.5}), tg::ValueError);
  sgd.add_group({&parameters[1]}, {.lr = 1});
  parameters[1].mutable_value().fill(2);
  add_gradient(parameters[1], tg::Tensor({1}, {1}));
  sgd.step();
  CHECK(only(parameters[1]) == 1);
}

TEST_CASE("zero_grad forgets the gradient of a frozen parameter too") {
  Parameters parameters{{1}};
  SGD sgd(parameters.all);
  add_gradient(parameters[0], tg::Tensor::ones({1}));
  parameters[0].set_requires_grad(false);
  sgd.zero_grad();
  CHECK_FALSE(parameters[0].has_grad());
}
