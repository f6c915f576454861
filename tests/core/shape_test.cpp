#include "tapegrad/core/shape.hpp"
#include "catch.hpp"

using namespace tapegrad;

TEST_CASE("a shape knows its axes, its size and its form as a matrix") {
  const Shape shape{2, 3, 4};
  CHECK(shape.rank() == 3);
  CHECK(shape[0] == 2);
  CHECK(shape[-1] == 4);
  CHECK(shape.size() == 24);
  CHECK(shape.rows() == 6);
  CHECK(shape.cols() == 4);
  CHECK(shape.str() == "2x3x4");
  CHECK(shape == Shape{2, 3, 4});
  CHECK_FALSE(shape == Shape{2, 3});
  CHECK_FALSE(Shape{2, 3} == shape);
  CHECK_FALSE(shape == Shape{2, 4, 3});
}

TEST_CASE("a scalar has one element and no axes") {
  CHECK(Shape{}.size() == 1);
  CHECK(Shape{}.rows() == 1);
  CHECK(Shape{}.cols() == 1);
  CHECK(Shape{}.str() == "scalar");
}

TEST_CASE("an axis may be empty") {
  const Shape shape{0, 5};
  CHECK(shape.empty());
  CHECK(shape.rows() == 0);
  CHECK(shape.cols() == 5);
}

TEST_CASE("an axis can be replaced or dropped") {
  CHECK(Shape{2, 3, 4}.with(1, 7) == Shape{2, 7, 4});
  CHECK(Shape{2, 3, 4}.with(-1, 1) == Shape{2, 3, 1});
  CHECK(Shape{2, 3, 4}.without(0) == Shape{3, 4});
  CHECK(Shape{2, 3, 4}.without(-1) == Shape{2, 3});
  CHECK(Shape{2}.without(0) == Shape{});
}

TEST_CASE("impossible shapes are refused") {
  CHECK_THROWS_WITH((Shape{3, -1}), "shape: an axis of length -1; lengths cannot be negative");
  CHECK_THROWS_WITH((Shape{1, 1, 1, 1, 1, 1, 1}), "shape: 7 axes; at most 6 are supported");
  const Index huge = Index{1} << 40;
  CHECK_THROWS_WITH((Shape{huge, huge}),
                    "shape: 1099511627776 and an axis of length 1099511627776 have more elements "
                    "than memory can address");
  const Index most = std::numeric_limits<Index>::max() / 16;  // in bytes, with some to spare
  CHECK(Shape{most}.size() == most);
  CHECK_THROWS_AS(Shape{most + 1}, ShapeError);
  CHECK(Shape{0, most}.empty());
  CHECK_THROWS_WITH((Shape{2, 3}[2]), "shape: axis 2 of a tensor of shape 2x3; axes run from -2 to 1");
  CHECK_THROWS_AS((Shape{2, 3}[-3]), ShapeError);
  CHECK_THROWS_WITH(Shape{}[0], "shape: axis 0 of a scalar, which has none");
  CHECK_THROWS_WITH((Shape{0, huge, huge}), ContainsSubstring("more elements than memory can address"));
  CHECK_THROWS_AS((Shape{huge, huge, 0}), ShapeError);
}

TEST_CASE("an element's position is an index for each axis") {
  CHECK(detail::position({2, 3, 4}, 0) == "[0, 0, 0]");
  CHECK(detail::position({2, 3, 4}, 23) == "[1, 2, 3]");
  CHECK(detail::position({38}, 37) == "[37]");
  CHECK(detail::position({}, 0) == "[]");
}

TEST_CASE("axes can be swapped, negative ones too") {
  CHECK(Shape{2, 3, 4}.swapped(0, -1) == Shape{4, 3, 2});
  CHECK_THROWS_WITH((Shape{2, 3}.swapped(0, 2)), "shape: axis 2 of a tensor of shape 2x3; axes run from -2 to 1");
}
