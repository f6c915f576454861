#include "tapegrad/nn/copy.hpp"

#include "catch.hpp"
#include "tapegrad/nn/linear.hpp"

namespace tg = tapegrad;
namespace nn = tg::nn;

namespace {
struct Model : nn::Module {
  using Module::Module;
  nn::Linear first{*this, "first", 3, 4};
  nn::Linear second{*this, "second", 4, 2};
};
struct Other : nn::Module {
  using Module::Module;
  nn::Linear first{*this, "first", 3, 5};
  nn::Linear third{*this, "third", 4, 2, {.bias = false}};
};
}  // namespace

TEST_CASE("copy_parameters makes two models equal") {
  tg::Rng rng(1);
  Model from(rng), to(rng);
  CHECK_FALSE(tg::same_bits(from.second.weight.value(), to.second.weight.value()));
  nn::copy_parameters(from, to);
  for (std::size_t i = 0; i < 4; ++i)
    CHECK(tg::same_bits(std::as_const(*from.parameters()[i]).value(), std::as_const(*to.parameters()[i]).value()));
}

TEST_CASE("copy_parameters lists all that does not match, and copies nothing") {
  tg::Rng rng(1);
  Model from(rng);
  Other to(rng);
  const tg::Tensor before(to.first.weight.value());
  CHECK_THROWS_WITH(nn::copy_parameters(from, to),
                    "copy_parameters: the modules have different parameters: not in `from`: \"third.weight\"; not in "
                    "`to`: \"second.bias\", \"second.weight\"; shapes differ: \"first.bias\" (4 in `from`, 5 in "
                    "`to`), \"first.weight\" (4x3 in `from`, 5x3 in `to`)");
  CHECK(tg::same_bits(to.first.weight.value(), before));
}

TEST_CASE("copy_parameters copies not even what fits, if something does not") {
  struct Longer : Model {
    using Model::Model;
    nn::Linear third{*this, "third", 2, 2};
  };
  tg::Rng rng(1);
  Model from(rng);
  Longer to(rng);
  const tg::Tensor before(to.first.weight.value());
  CHECK_THROWS_AS(nn::copy_parameters(from, to), tg::ValueError);
  CHECK(tg::same_bits(to.first.weight.value(), before));
}
