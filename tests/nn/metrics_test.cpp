#include "tapegrad/nn/metrics.hpp"

#include "catch.hpp"

using namespace tapegrad;

TEST_CASE("count_correct counts rows whose first largest score is at the label") {
  const Tensor scores({4, 3}, {0, 1, 2, 5, 1, 2, 3, 3, 1, 0, 0, 9});
  const std::vector<Index> labels{2, 0, 0, 1};
  CHECK(nn::count_correct(scores, labels) == 3);
  CHECK(nn::count_correct(scores, Eigen::Vector4i(2, 0, 0, 2)) == 4);
  CHECK(nn::count_correct(Tensor({0, 3}), std::vector<int>{}) == 0);
  CHECK_THROWS_WITH(nn::count_correct(scores, std::span(labels).first(3)),
                    "count_correct: scores are 4x3, and there are 3 labels; scores must be samples x classes, with one "
                    "label a sample");
  CHECK_THROWS_AS(nn::count_correct(Tensor({4}), labels), ShapeError);
}
