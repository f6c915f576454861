#include "tapegrad/optim/clip.hpp"

#include <cmath>

#include "catch.hpp"
#include "setup.hpp"
#include "threads.hpp"

namespace tg = tapegrad;
using namespace tg::optim;
using optim_tests::add_gradient, optim_tests::Parameters;

TEST_CASE("clip_grad_norm scales all gradients by one factor and returns the norm from before") {
  Parameters parameters{{2}, {1, 1}, {3}};
  add_gradient(parameters[0], tg::Tensor({2}, {3, 0}));
  add_gradient(parameters[1], tg::Tensor({1, 1}, {-4}));  // and the third has none
  CHECK(clip_grad_norm(parameters.all, 1) == 5);
  CHECK(parameters[0].grad()[0] == Approx(0.6));
  CHECK(parameters[0].grad()[1] == 0);
  CHECK(parameters[1].grad()[0] == Approx(-0.8));
  CHECK_FALSE(parameters[2].has_grad());
  CHECK(clip_grad_norm(parameters.all, 1) == Approx(1));
}

TEST_CASE("clip_grad_norm adds 1e-6 to the norm, so that nothing is divided by 0") {
  Parameters parameters{{2}};
  add_gradient(parameters[0], tg::Tensor({2}));
  CHECK(clip_grad_norm(parameters.all, 0) == 0);
  CHECK(tg::same_bits(parameters[0].grad(), tg::Tensor({2})));
  add_gradient(parameters[0], tg::Tensor({2}, {tg::Scalar(1e-6), 0}));
  CHECK(clip_grad_norm(parameters.all, 1e-6) == Approx(1e-6));
  CHECK(parameters[0].grad()[0] == Approx(5e-7));
}

TEST_CASE("clip_grad_norm may leave nothing") {
  Parameters parameters{{2}};
  add_gradient(parameters[0], tg::Tensor({2}, {3, -4}));
  CHECK(clip_grad_norm(parameters.all, 0) == 5);
  CHECK((parameters[0].grad().array() == 0).all());
}

TEST_CASE("clip_grad_norm leaves smaller gradients as they are") {
  Parameters parameters{{2}};
  const tg::Tensor gradient({2}, {3, -4});
  add_gradient(parameters[0], gradient);
  CHECK(clip_grad_norm(parameters.all, 5.5) == 5);
  CHECK(clip_grad_norm(parameters.all, INFINITY) == 5);
  CHECK(tg::same_bits(parameters[0].grad(), gradient));
}

TEST_CASE("clip_grad_norm of nothing is 0") {
  Parameters parameters{{2}};
  CHECK(clip_grad_norm(parameters.all, 1) == 0);
  CHECK(clip_grad_norm({}, 1) == 0);
}

TEST_CASE("clip_grad_norm sums in double, to the same bits on any number of threads") {
  Parameters parameters{{700, 300}};
  tg::Tensor gradient({700, 300});
  parameters.rng.normal(gradient);
  double sum = 0;
  for (const tg::Scalar g : gradient.span()) sum += double{g} * double{g};
  add_gradient(parameters[0], gradient);
  const Threads guard(1);
  const double one = clip_grad_norm(parameters.all, 1e9);
  tg::set_num_threads(3);
  const double three = clip_grad_norm(parameters.all, 1e9);
  CHECK(one == three);
  CHECK(one == Approx(std::sqrt(sum)).epsilon(1e-12));
}

TEST_CASE("clip_grad_norm refuses a norm that is not finite, unless told otherwise") {
  Parameters parameters{{2}};
  add_gradient(parameters[0], tg::Tensor({2}, {1, INFINITY}));
  CHECK_THROWS_WITH(clip_grad_norm(parameters.all, 1),
                    "clip_grad_norm: the gradient of parameter 0 (2) has inf as its element 1; nothing was changed. "
                    "Tape::detect_anomaly() finds the op that made it, unless it came with data or weights");
  CHECK(parameters[0].grad()[0] == 1);
  CHECK(std::isinf(clip_grad_norm(parameters.all, 1, {.error_if_nonfinite = false})));
  CHECK(parameters[0].grad()[0] == 0);
  CHECK(std::isnan(parameters[0].grad()[1]));
}

TEST_CASE("clip_grad_value moves each element into the limits") {
  Parameters parameters{{5}, {1}};
  add_gradient(parameters[0], tg::Tensor({5}, {-3, -0.5, 0, 0.5, 3}));
  clip_grad_value(parameters.all, 0.75);
  CHECK(tg::same_bits(parameters[0].grad(), tg::Tensor({5}, {-0.75, -0.5, 0, 0.5, 0.75})));
  CHECK_FALSE(parameters[1].has_grad());
}

TEST_CASE("limits that cannot be right are refused with the value") {
  Parameters parameters{{2}};
  CHECK_THROWS_WITH(clip_grad_norm(parameters.all, -1),
                    "clip_grad_norm: max_norm = -1; it must be a number and not negative");
  CHECK_THROWS_WITH(clip_grad_norm(parameters.all, NAN),
                    "clip_grad_norm: max_norm = nan; it must be a number and not negative");
  CHECK_THROWS_WITH(clip_grad_value(parameters.all, 0), "clip_grad_value: limit = 0; it must be positive");
  if (sizeof(tg::Scalar) == sizeof(float))
    CHECK_THROWS_WITH(clip_grad_value(parameters.all, 1e-50), "clip_grad_value: limit = 0; it must be positive");
  CHECK_THROWS_WITH(clip_grad_value(parameters.all, NAN), "clip_grad_value: limit = nan; it must be positive");
  const std::vector<tg::Parameter*> none{parameters.all[0], nullptr};
  CHECK_THROWS_WITH(clip_grad_norm(none, 1), "clip_grad_norm: parameter 1 is a null pointer");
  CHECK_THROWS_WITH(clip_grad_value(none, 1), "clip_grad_value: parameter 1 is a null pointer");
}
