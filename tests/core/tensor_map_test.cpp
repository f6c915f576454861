#include "tapegrad/core/tensor_map.hpp"

#include "catch.hpp"

using namespace tapegrad;

TEST_CASE("tensor_map looks at a tensor as Eigen's of its rank, without a copy") {
  Tensor x({2, 3, 4});
  for (Index i = 0; i < x.size(); ++i) x[i] = static_cast<Scalar>(i);
  auto map = tensor_map<3>(x);
  CHECK(map.data() == x.data());
  CHECK(map.dimension(2) == 4);
  CHECK(map(1, 2, 3) == 23);
  map(0, 1, 2) = 60;
  CHECK(x[6] == 60);

  const Eigen::Tensor<Scalar, 2, Eigen::RowMajor, Index> sums = map.sum(Eigen::array<int, 1>{0});
  CHECK(sums(1, 2) == 60 + 18);
  tensor_map<1>(x.view().reshaped({24})).setConstant(1);
  CHECK(x[23] == 1);
  CHECK(tensor_map<3>(std::as_const(x))(1, 0, 0) == 1);
  CHECK(tensor_map<0>(ConstTensorView(x.data(), {}))() == 1);
}

TEST_CASE("tensor_map of another rank is refused") {
  const Tensor x({2, 3});
  CHECK_THROWS_WITH(tensor_map<3>(x), "tensor_map: got shape 2x3 of rank 2; a map of rank 3 was asked for");
  CHECK_THROWS_AS(tensor_map<1>(x), ShapeError);
}
