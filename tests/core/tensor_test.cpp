#include <Eigen/Dense>
#include <limits>

#include "catch.hpp"
#include "tapegrad/core/tensor.hpp"

using namespace tapegrad;

TEST_CASE("a tensor is made of zeros, a value or its elements") {
  CHECK((Tensor({2, 2}).array() == 0).all());
  CHECK((Tensor::ones({3}).array() == 1).all());
  const Tensor t({2, 3}, {1, 2, 3, 4, 5, 6});
  CHECK(t(1, 0) == 4);
  CHECK(t[5] == 6);
  CHECK(t.matrix()(0, 2) == 3);
  CHECK(Tensor().size() == 0);
  CHECK(Tensor({}, 7).item() == 7);
}

TEST_CASE("memory is aligned to a cache line, much of it to a huge page") {
  const auto address = [](const Tensor& t) { return reinterpret_cast<std::uintptr_t>(t.data()); };
  for (Index size : {1, 17, 1000}) CHECK(address(Tensor({size})) % 64 == 0);
  const Index megabyte = (1 << 20) / sizeof(Scalar);
  for (Index size : {3 * megabyte / 2, 3 * megabyte + 1}) {
    Tensor t({size}, 1);
    CHECK(address(t) % (2 << 20) == 0);
    t = Tensor({7}, 2);  // which is freed in another way
    CHECK(t[6] == 2);
  }
}

TEST_CASE("Eigen matrices come in by value, whatever their order and scalar") {
  Eigen::MatrixXd columns(2, 3);
  columns << 1, 2, 3, 4, 5, 6;
  const Tensor t = columns;
  CHECK(t.shape() == Shape{2, 3});
  CHECK(same_bits(t, Tensor({2, 3}, {1, 2, 3, 4, 5, 6})));
  CHECK(same_bits(Tensor(columns.transpose()), Tensor({3, 2}, {1, 4, 2, 5, 3, 6})));
  CHECK(Tensor(Eigen::VectorXf::Ones(4)).shape() == Shape{4});
  CHECK(Tensor(Eigen::RowVectorXi::Ones(4) * 2)[3] == 2);
}

TEST_CASE("Eigen maps read and write the tensor's own memory") {
  Tensor t({2, 2});
  t.matrix() << 1, 2, 3, 4;
  t.array() *= 2;
  CHECK(same_bits(t, Tensor({2, 2}, {2, 4, 6, 8})));
  const TensorView view = t;
  view(0, 1) = 9;
  CHECK(t[1] == 9);
  CHECK(t.span().size() == 4);
}

TEST_CASE("copies are deep, moves leave an empty tensor") {
  Tensor a({2}, {1, 2});
  Tensor b = a;
  b[0] = 5;
  CHECK(a[0] == 1);
  Tensor c = std::move(a);
  CHECK(c[1] == 2);
  CHECK(a.size() == 0);  // NOLINT(bugprone-use-after-move)
  a = c;
  CHECK(same_bits(a, c));
}

TEST_CASE("views fill, copy, reshape and take expressions of any length") {
  for (Index size : {0, 1, 7, 16384, 16385, 50000}) {
    Tensor x({size}, 3), y({size});
    y.view().assign(x.array() * 2);
    CHECK((y.array() == 6).all());
    y.view().add(x.array());
    CHECK((y.array() == 9).all());
    x.view().copy_from(y);
    CHECK(same_bits(x, y));
  }
  const Tensor t({2, 3}, {1, 2, 3, 4, 5, 6});
  CHECK(t.view().reshaped({3, 2})(2, 0) == 5);
}

TEST_CASE("numbers of any type fill a tensor") {
  const Scalar tenth = static_cast<Scalar>(0.1);
  CHECK(same_bits(Tensor({2}, 0.1), Tensor({2}, {tenth, tenth})));
  CHECK(same_bits(Tensor::full({2}, 0.1F), Tensor({2}, {0.1F, 0.1F})));
  CHECK(same_bits(Tensor({2}, 3), Tensor({2}, {3, 3})));
}

TEST_CASE("a tensor's misuse is refused in words") {
  Tensor t({2, 3});
  CHECK_THROWS_WITH(t[6], "tensor: element 6 of 6 (shape 2x3); they count from 0");
  CHECK_THROWS_WITH(t[-1], "tensor: element -1 of 6 (shape 2x3); they count from 0");
  CHECK_THROWS_WITH(t(0, 3), "tensor: element (0, 3) of shape 2x3; rows and columns count from 0");
  CHECK_THROWS_AS(t(0, -1), ValueError);
  CHECK_THROWS_AS(t(-1, 0), ValueError);
  CHECK_THROWS_AS(t(2, 0), ValueError);
  CHECK_THROWS_WITH(t.item(), "item: the tensor's shape is 2x3; it must have one element");
  CHECK_THROWS_WITH(Tensor({2, 2}, {1, 2, 3}), "tensor: 3 elements for shape 2x2; it needs 4");
  CHECK_THROWS_WITH(t.view().copy_from(Tensor({3, 2})), "copy: from 3x2 to 2x3; the shapes must be equal");
  const Eigen::ArrayXf four = Eigen::ArrayXf::Zero(4);
  CHECK_THROWS_WITH(t.view().copy_from(four), "copy: from 4 to 2x3; the shapes must be equal");
  CHECK_THROWS_WITH(t.view().copy_from(Eigen::MatrixXd(3, 2)), "copy: from 3x2 to 2x3; the shapes must be equal");
  CHECK_THROWS_WITH(t.view().assign(four), "tensor: an expression of 4 elements for shape 2x3, which has 6");
  CHECK_THROWS_WITH(t.view().add(four), "tensor: an expression of 4 elements for shape 2x3, which has 6");
  CHECK_THROWS_WITH(t.view().assign(t.matrix().transpose().array()),
                    "tensor: an expression of 3x2 elements for shape 2x3, which has 2x3");
  CHECK_THROWS_WITH(t.view().reshaped(Shape{4}), "reshape: 2x3 has 6 elements, 4 has 4; the numbers must be equal");
}

TEST_CASE("same_bits tells zeros apart and NaN alike") {
  const Scalar nan = std::numeric_limits<Scalar>::quiet_NaN();
  CHECK(same_bits(Tensor({1}, nan), Tensor({1}, nan)));
  CHECK_FALSE(same_bits(Tensor({1}, Scalar(0)), Tensor({1}, -Scalar(0))));
  CHECK_FALSE(same_bits(Tensor({1, 1}), Tensor({1})));
}

TEST_CASE("an expression with too many rows, or too few columns, is refused") {
  using Rows = Eigen::Matrix<Scalar, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  Tensor t({2, 3});
  const Rows rows = Rows::Zero(3, 3), cols = Rows::Zero(2, 2);
  CHECK_THROWS_AS(t.view().assign(rows.array()), ShapeError);
  CHECK_THROWS_AS(t.view().assign(cols.array()), ShapeError);
}
