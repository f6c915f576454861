#include "tapegrad/core/view.hpp"

#include "catch.hpp"

using namespace tapegrad;

namespace {
using Rows = Eigen::Matrix<Scalar, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
}

TEST_CASE("vectors, arrays and spans are looked at without a copy") {
  std::vector<Scalar> numbers{1, 2, 3, 4};
  const TensorView all = view(numbers);
  CHECK(all.data() == numbers.data());
  CHECK(all.shape() == Shape{4});
  all[0] = 9;
  CHECK(numbers[0] == 9);
  CHECK(view(numbers).reshaped({2, 2})(1, 0) == 3);

  const std::array<Scalar, 2> fixed{5, 6};
  const ConstTensorView read_only = view(fixed);
  CHECK(read_only.data() == fixed.data());
  CHECK(view(std::span(numbers).subspan(1)).size() == 3);
}

TEST_CASE("Eigen's matrices of rows are looked at without a copy") {
  Rows matrix(3, 2);
  matrix << 1, 2, 3, 4, 5, 6;
  const TensorView all = view(matrix);
  CHECK(all.data() == matrix.data());
  CHECK(all.shape() == Shape{3, 2});
  CHECK(view(matrix.middleRows(1, 2)).data() == matrix.data() + 2);
  CHECK(view(std::as_const(matrix)).shape() == Shape{3, 2});
  CHECK(view(matrix.topLeftCorner(1, 1)).shape() == Shape{1, 1});

  Eigen::Matrix<Scalar, Eigen::Dynamic, 1> column(3);
  CHECK(view(column).shape() == Shape{3});
  using Spread = Eigen::Map<Eigen::Matrix<Scalar, Eigen::Dynamic, 1>, 0, Eigen::InnerStride<>>;
  CHECK(view(Spread(column.data(), 1, Eigen::InnerStride<>(2))).shape() == Shape{1});
  CHECK(view(Eigen::Map<Rows>(matrix.data(), 2, 3)).shape() == Shape{2, 3});
}

TEST_CASE("parts of matrices whose elements do not lie side by side are refused") {
  Rows matrix(3, 2);
  CHECK_THROWS_WITH(view(matrix.leftCols(1)),
                    "view: a part of a matrix, 3x1, whose elements do not lie side by side; make a Tensor of it, which "
                    "copies");
  CHECK_THROWS_AS(view(matrix.col(0)), ShapeError);
}
