// A norm that overflows though no gradient does: floats cannot have that, as they are summed in double.

#include "catch.hpp"
#include "setup.hpp"
#include "tapegrad/optim/clip.hpp"

namespace tg = tapegrad;

TEST_CASE("clip_grad_norm refuses a norm that overflows") {
  optim_tests::Parameters parameters{{2}};
  optim_tests::add_gradient(parameters[0], tg::Tensor({2}, {1e200, 1}));
  CHECK_THROWS_WITH(tg::optim::clip_grad_norm(parameters.all, 1), "clip_grad_norm: the norm is inf; it must be finite");
  CHECK(parameters[0].grad()[0] == 1e200);
}
