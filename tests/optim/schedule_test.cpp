#include "tapegrad/optim/schedule.hpp"

#include "catch.hpp"
#include "setup.hpp"
#include "tapegrad/optim/sgd.hpp"

namespace tg = tapegrad;
using namespace tg::optim;

namespace {

struct TwoGroups : optim_tests::Parameters {
  TwoGroups() : Parameters{{1}, {1}} { sgd.add_group({&(*this)[1]}, {.lr = 4}); }
  SGD sgd{{&(*this)[0]}, {.lr = 1}};
};

/// Steps through `expected`, the rates of a base of 1; the second group has four times that.
void check(TwoGroups& groups, Schedule& schedule, const std::vector<double>& expected) {
  for (std::size_t step = 0; step < expected.size(); ++step) {
    INFO("step " << step);
    CHECK(schedule.steps() == static_cast<tg::Index>(step));
    CHECK(groups.sgd.lr(0) == Approx(expected[step]).margin(1e-15));
    CHECK(groups.sgd.lr(1) == Approx(4 * expected[step]).margin(1e-15));
    schedule.step();
  }
}

}  // namespace

TEST_CASE("StepLR drops at every step_size-th step") {
  TwoGroups groups;
  StepLR schedule(groups.sgd, {.step_size = 3, .gamma = 0.5});
  check(groups, schedule, {1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.125});
}

TEST_CASE("a schedule that comes to a rate that cannot be stays where it was") {
  TwoGroups groups;
  LambdaLR schedule(groups.sgd, [](tg::Index steps) { return steps == 0 ? 1 : 1e38; });
  CHECK_THROWS_WITH(schedule.step(),  // 4e38, as a float
                    "schedule: after 1 steps: sgd: lr = inf; it must be finite and not negative");
  CHECK(schedule.steps() == 0);
  CHECK(groups.sgd.lr(0) == 1);
  CHECK(groups.sgd.lr(1) == 4);
}

TEST_CASE("a schedule made before a group was added says so, and stays where it was") {
  optim_tests::Parameters parameters{{1}, {1}};
  SGD sgd({&parameters[0]}, {.lr = 1});
  ExponentialLR schedule(sgd, {.gamma = 0.5});
  schedule.step();
  sgd.add_group({&parameters[1]}, {.lr = 4});
  CHECK_THROWS_WITH(
      schedule.step(),
      "schedule: the optimizer has 2 groups, the schedule was made for 1; make the schedule after the groups");
  CHECK(schedule.steps() == 1);
  CHECK(sgd.lr(0) == 0.5);
  CHECK(sgd.lr(1) == 4);
}

TEST_CASE("ExponentialLR multiplies at every step") {
  TwoGroups groups;
  ExponentialLR schedule(groups.sgd, {.gamma = 0.9});
  check(groups, schedule, {1, 0.9, 0.81, 0.729, 0.6561});
}

TEST_CASE("CosineAnnealingLR goes down half a period of a cosine, and up again") {
  TwoGroups groups;
  CosineAnnealingLR schedule(groups.sgd, {.T_max = 4});
  const double root = std::sqrt(0.5);
  check(groups, schedule, {1, (1 + root) / 2, 0.5, (1 - root) / 2, 0, (1 - root) / 2, 0.5});
}

TEST_CASE("CosineAnnealingLR ends at eta_min in every group") {
  TwoGroups groups;
  CosineAnnealingLR schedule(groups.sgd, {.T_max = 10, .eta_min = 0.25});
  schedule.set_steps(5);
  CHECK(groups.sgd.lr(0) == Approx(0.625));
  CHECK(groups.sgd.lr(1) == Approx(2.125));
  schedule.set_steps(10);
  CHECK(groups.sgd.lr(0) == Approx(0.25));
  CHECK(groups.sgd.lr(1) == Approx(0.25));
}

TEST_CASE("LinearLR warms up from its first step on, and stays") {
  TwoGroups groups;
  LinearLR schedule(groups.sgd, {.start_factor = 0.2, .total_iters = 4});
  check(groups, schedule, {0.2, 0.4, 0.6, 0.8, 1, 1, 1});
  LinearLR::Rate to_the_end = LinearLR::rate({.start_factor = 0.06, .end_factor = 0.57, .total_iters = 7});
  CHECK(to_the_end(1, 7) == 0.57);
}

TEST_CASE("a schedule goes on where another one was, of as many groups") {
  TwoGroups groups;
  ExponentialLR schedule(groups.sgd, {.gamma = 0.5});
  CHECK_THROWS_WITH(schedule.restore(1, std::vector<double>(3, 0.5)),
                    "schedule: got 3 base rates for 2 groups; there must be one for each");
  CHECK_THROWS_WITH(schedule.restore(1, std::vector<double>{0.5}), ContainsSubstring("got 1 base rates"));
  CHECK_THROWS_WITH(schedule.check_steps(1, std::vector<double>{0.5}), ContainsSubstring("got 1 base rates"));
  CHECK(schedule.steps() == 0);
  schedule.restore(1, std::vector<double>{8, 4});
  schedule.step();
  CHECK(groups.sgd.lr(0) == 2);
  CHECK(groups.sgd.lr(1) == 1);
}

TEST_CASE("a schedule's options that are not given") {
  CHECK(StepLROptions{}.step_size == 30);
  CHECK(StepLROptions{}.gamma == 0.1);
  CHECK(ExponentialLROptions{}.gamma == 0.95);
  CHECK(CosineAnnealingLROptions{}.T_max == 100);
  CHECK(CosineAnnealingLROptions{}.eta_min == 0);
  CHECK(LinearLROptions{}.start_factor == 1.0 / 3);
  CHECK(LinearLROptions{}.end_factor == 1);
  CHECK(LinearLROptions{}.total_iters == 5);
}

TEST_CASE("LambdaLR is the user's function") {
  TwoGroups groups;
  LambdaLR schedule(groups.sgd, [](tg::Index step) { return 1.0 / static_cast<double>(1 + step); });
  check(groups, schedule, {1, 1.0 / 2, 1.0 / 3, 1.0 / 4});
}

TEST_CASE("SequentialLR warms up, and goes on as the next part would from the base rate") {
  TwoGroups groups;
  SequentialLR schedule(
      groups.sgd, {LinearLR::rate({.start_factor = 0.1, .total_iters = 3}), CosineAnnealingLR::rate({.T_max = 4})},
      {.milestones = {3}});
  const double root = std::sqrt(0.5);
  check(groups, schedule, {0.1, 0.4, 0.7, 1, (1 + root) / 2, 0.5, (1 - root) / 2, 0});
}

TEST_CASE("SequentialLR takes parts of all kinds, each counted from its own beginning") {
  TwoGroups groups;
  const auto third = [](tg::Index steps) { return 0.5 + static_cast<double>(steps); };
  SequentialLR schedule(groups.sgd,
                        {ExponentialLR::rate({.gamma = 0.5}), StepLR::rate({.step_size = 2}), LambdaLR::rate(third)},
                        {.milestones = {2, 5}});
  check(groups, schedule, {1, 0.5, 1, 1, 0.1, 0.5, 1.5, 2.5});
  schedule.set_steps(4);
  CHECK(groups.sgd.lr(0) == Approx(0.1));
  schedule.set_steps(0);
  CHECK(groups.sgd.lr(0) == 1);
}

TEST_CASE("a SequentialLR can be part of another, and have one part") {
  TwoGroups groups;
  const auto falling = SequentialLR::rate({ExponentialLR::rate({.gamma = 0.5})}, {});
  SequentialLR schedule(groups.sgd, {SequentialLR::rate({falling, falling}, {.milestones = {2}}), falling},
                        {.milestones = {3}});
  check(groups, schedule, {1, 0.5, 1, 1, 0.5, 0.25});
}

TEST_CASE("set_steps leads where as many steps lead") {
  TwoGroups stepped, set;
  StepLR one(stepped.sgd, {.step_size = 2}), other(set.sgd, {.step_size = 2});
  for (int step = 0; step < 5; ++step) one.step();
  other.set_steps(5);
  CHECK(set.sgd.lr(1) == stepped.sgd.lr(1));
  CHECK(other.steps() == 5);
  CHECK_THROWS_WITH(other.set_steps(-1), "schedule: got -1 steps; they cannot be negative");
}

TEST_CASE("schedules that cannot be right are refused with the value") {
  TwoGroups groups;
  SGD& sgd = groups.sgd;
  CHECK_THROWS_WITH(StepLR(sgd, {.step_size = 0}), "step_lr: step_size = 0; it must be positive");
  CHECK_THROWS_WITH(StepLR(sgd, {.gamma = -1}), "step_lr: gamma = -1; it must be finite and not negative");
  CHECK_THROWS_WITH(ExponentialLR(sgd, {.gamma = NAN}),
                    "exponential_lr: gamma = nan; it must be finite and not negative");
  CHECK_THROWS_WITH(CosineAnnealingLR(sgd, {.T_max = -3}), "cosine_annealing_lr: T_max = -3; it must be positive");
  CHECK_THROWS_WITH(CosineAnnealingLR(sgd, {.eta_min = -1}),
                    "cosine_annealing_lr: eta_min = -1; it must be finite and not negative");
  CHECK_THROWS_WITH(LinearLR(sgd, {.start_factor = -1}),
                    "linear_lr: start_factor = -1; it must be finite and not negative");
  CHECK_THROWS_WITH(LinearLR(sgd, {.end_factor = INFINITY}),
                    "linear_lr: end_factor = inf; it must be finite and not negative");
  CHECK_THROWS_WITH(LinearLR(sgd, {.total_iters = 0}), "linear_lr: total_iters = 0; it must be positive");
  CHECK_THROWS_WITH(Schedule(sgd, nullptr), "schedule: the function is empty");
  CHECK_THROWS_WITH(LambdaLR(sgd, nullptr), "lambda_lr: the function is empty");
  CHECK_THROWS_WITH(LambdaLR(sgd, [](tg::Index) { return -1.0; }),
                    "schedule: after 0 steps: sgd: lr = -1; it must be finite and not negative");

  const Schedule::Rate part = ExponentialLR::rate({});
  CHECK_THROWS_WITH(SequentialLR(sgd, {part, part}, {}),
                    "sequential_lr: got 0 milestones for 2 parts; there must be one fewer");
  CHECK_THROWS_WITH(SequentialLR(sgd, {}, {}), "sequential_lr: got 0 milestones for 0 parts; there must be one fewer");
  CHECK_THROWS_WITH(SequentialLR(sgd, {part, nullptr}, {.milestones = {3}}),
                    "sequential_lr: the function of part 1 is empty");
  CHECK_THROWS_WITH(SequentialLR(sgd, {part, part}, {.milestones = {0}}),
                    "sequential_lr: milestones[0] = 0; they must be positive and ascend");
  CHECK_THROWS_WITH(SequentialLR(sgd, {part, part, part}, {.milestones = {3, 3}}),
                    "sequential_lr: milestones[1] = 3; they must be positive and ascend");
  CHECK(sgd.lr() == 1);
}

TEST_CASE("a schedule that goes on is checked with the base rates that it gets") {
  TwoGroups groups;
  groups.sgd.set_lr(0.25);
  Schedule falling(groups.sgd, [](double base, tg::Index steps) { return base - 0.125 * static_cast<double>(steps); });
  falling.restore(4, std::vector<double>{1, 1});  // where those of its own would be negative
  CHECK(groups.sgd.lr(0) == 0.25);                // until the next step
  falling.step();
  CHECK(groups.sgd.lr(0) == 0.375);
  for (const double wrong : {-1.0, double{NAN}})
    CHECK_THROWS_WITH(falling.restore(1, std::vector<double>{1, wrong}), ContainsSubstring("schedule: after 1 steps"));
  falling.step();
  CHECK(groups.sgd.lr(1) == 0.25);
}
