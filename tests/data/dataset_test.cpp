#include "tapegrad/data/dataset.hpp"

#include <array>

#include "catch.hpp"

using namespace tapegrad;

TEST_CASE("an image data set keeps bytes and gives numbers in [0, 1]") {
  const data::ImageDataset set({0, 255, 51, 102, 1, 2, 3, 4}, 2, 2, 2, {7, 9});
  CHECK(set.size() == 2);
  CHECK(set.rows() == 2);
  CHECK(set.cols() == 2);
  CHECK(data::ImageDataset({1, 2, 3}, 1, 1, 3).rows() == 1);
  CHECK(data::ImageDataset({1, 2, 3}, 1, 1, 3).cols() == 3);
  CHECK(set.labels()[1] == 9);
  CHECK(same_bits(set.tensor(0, 1), Tensor({1, 4}, {0, 1, Scalar(0.2), Scalar(0.4)})));
  CHECK(set.tensor(1, 1)(0, 3) == Scalar(4) / Scalar(255));
  CHECK(set.tensor(2, 0).shape() == Shape{0, 4});
  CHECK_THROWS_WITH(set.tensor(1, 2), "image data set: 2 images from number 1 on, of 2; they must be in the set");
  CHECK_THROWS_AS(set.tensor(1, std::numeric_limits<Index>::max()), ValueError);
  CHECK_THROWS_WITH(set.tensor(-1, 1), ContainsSubstring("1 images from number -1 on, of 2"));
  CHECK_THROWS_WITH(set.tensor(1, -1), ContainsSubstring("-1 images from number 1 on, of 2"));
}

TEST_CASE("an image data set that was moved from has no images") {
  data::ImageDataset set({0, 1, 2, 3}, 1, 2, 2);
  const data::ImageDataset moved = std::move(set);
  CHECK(moved.size() == 1);
  CHECK(set.size() == 0);
  CHECK_THROWS_AS(set.tensor(0, 1), ValueError);
}

TEST_CASE("an image data set's pixels begin a huge page, and copies share them") {
  const data::ImageDataset set(std::vector<std::uint8_t>(detail::huge_page), 1, 1, detail::huge_page);
  const std::uint8_t* const first = set.pixels().data();
  CHECK(reinterpret_cast<std::uintptr_t>(first) % detail::huge_page == 0);
  const data::ImageDataset copy = set;
  CHECK(copy.pixels().data() == first);
  CHECK(copy.size() == 1);
}

TEST_CASE("every byte becomes what a division by 255 gives, to the bit") {
  std::vector<std::uint8_t> levels(256);
  for (std::size_t i = 0; i < 256; ++i) levels[i] = static_cast<std::uint8_t>(i);
  const Tensor numbers = data::ImageDataset(levels, 1, 16, 16).tensor(0, 1);
  for (Index i = 0; i < 256; ++i) {
    INFO("byte " << i);
    if constexpr (sizeof(Scalar) == 4) CHECK(numbers[i] == static_cast<Scalar>(i) / 255);
  }
  CHECK(numbers[0] == 0);
  CHECK(numbers[255] == 1);
}

TEST_CASE("an image data set is checked when it is made") {
  CHECK(data::ImageDataset().size() == 0);
  CHECK(data::ImageDataset({}, 0, 28, 28).size() == 0);
  CHECK_THROWS_WITH(data::ImageDataset({1, 2, 3}, 1, 2, 2), "image data set: 3 pixels for 1x2x2; it needs 4");
  CHECK_THROWS_WITH(data::ImageDataset({1, 2}, 2, 1, 1, {0}), ContainsSubstring("1 labels for 2 images"));
  CHECK_THROWS_WITH(data::ImageDataset({1, 2}, 2, 1, 1, {0, 1, 2}), ContainsSubstring("3 labels for 2 images"));
  CHECK_THROWS_WITH(data::ImageDataset({}, 3, 0, 28), ContainsSubstring("images of 0x28 pixels"));
  CHECK_THROWS_WITH(data::ImageDataset({}, 3, 28, 0), ContainsSubstring("images of 28x0 pixels"));
  CHECK_THROWS_AS(data::ImageDataset({}, 3, -1, 28), ValueError);
  CHECK_THROWS_WITH(data::ImageDataset({}, -1, 28, 28), ContainsSubstring("-1 samples; there may be 0 to"));
}

TEST_CASE("one's own Eigen matrices are a data set") {
  const Eigen::MatrixXd x = Eigen::MatrixXd::Random(5, 3);
  const Eigen::VectorXd y = x.col(0);
  const data::TensorDataset set(x, y);
  CHECK(set.size() == 5);
  CHECK(set.inputs().shape() == Shape{5, 3});
  CHECK(set.targets().shape() == Shape{5, 1});  // a column, as a layer with one output gives
  CHECK(set.inputs()(4, 0) == set.targets()[4]);
  CHECK(set.labels().empty());
  CHECK(data::TensorDataset(x).targets().empty());
}

TEST_CASE("integers are labels, whatever holds them") {
  const Eigen::MatrixXf x = Eigen::MatrixXf::Zero(3, 2);
  Eigen::VectorXi classes(3);
  classes << 2, 0, 1;
  for (const auto& set : {data::TensorDataset(x, classes), data::TensorDataset(x, std::vector<int>{2, 0, 1}),
                          data::TensorDataset(x, std::array<std::uint8_t, 3>{2, 0, 1})}) {
    CHECK(set.targets().empty());
    CHECK(std::vector(set.labels().begin(), set.labels().end()) == std::vector<Index>{2, 0, 1});
  }
}

TEST_CASE("a tensor data set is checked when it is made") {
  CHECK(data::TensorDataset(Tensor({0, 3})).size() == 0);
  CHECK(data::TensorDataset(Tensor({2147483647, 0})).size() == 2147483647);
  CHECK_THROWS_WITH(data::TensorDataset(Tensor({4, 3}), Tensor({5, 1})),
                    "data set: inputs are 4x3, targets are 5x1; the first axes (samples) must be equal");
  CHECK_THROWS_WITH(data::TensorDataset(Tensor({4, 3}), std::vector<int>{1}),
                    ContainsSubstring("1 labels for 4 samples"));
  CHECK_THROWS_WITH(data::TensorDataset(Tensor({2, 3}), std::vector<int>{0, 1, 2}),
                    ContainsSubstring("3 labels for 2 samples"));
  CHECK_THROWS_WITH(data::TensorDataset(Tensor(Shape{}, Scalar(1))), ContainsSubstring("got a scalar"));
  CHECK_THROWS_WITH(data::TensorDataset(Tensor({Index{1} << 31, 0})),
                    "data set: 2147483648 samples; there may be 0 to 2147483647");
}
