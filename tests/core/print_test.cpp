#include "tapegrad/core/print.hpp"

#include <limits>
#include <sstream>

#include "catch.hpp"

using namespace tapegrad;

namespace {
std::string type() { return sizeof(Scalar) == 4 ? "float" : "double"; }
std::string text(ConstTensorView tensor) {
  std::ostringstream out;
  out << tensor;
  return out.str();
}
}  // namespace

TEST_CASE("a tensor is printed with its shape, its type and its elements in columns") {
  CHECK(text(Tensor({2, 3}, {1, Scalar(2.5), -3, 4, 5, Scalar(1e-6)})) == "Tensor 2x3 " + type() + ":\n" +
                                                                              "[[    1,   2.5,    -3],\n"
                                                                              " [    4,     5, 1e-06]]");
  CHECK(text(Tensor({2, 2, 1}, {1, 2, 3, 4})) == "Tensor 2x2x1 " + type() + ":\n[[[1],\n  [2]],\n [[3],\n  [4]]]");
  CHECK(text(Tensor({3}, {0, -std::numeric_limits<Scalar>::infinity(), Scalar(1.0 / 3)})) ==
        "Tensor 3 " + type() + ": [     0,   -inf, 0.3333]");
  CHECK(text(Tensor({}, 7)) == "Tensor scalar " + type() + ": 7");
  CHECK(text(Tensor({0, 3})) == "Tensor 0x3 " + type() + ":\n[]");
  CHECK(text(Tensor({2, 0})) == "Tensor 2x0 " + type() + ":\n[[],\n []]");
}

TEST_CASE("of a long axis its ends are printed") {
  Tensor counted({9, 10});
  for (Index i = 0; i < counted.size(); ++i) counted[i] = Scalar(i);
  CHECK(text(counted) == "Tensor 9x10 " + type() + ":\n" +
                             "[[ 0,  1,  2, ...,  7,  8,  9],\n"
                             " [10, 11, 12, ..., 17, 18, 19],\n"
                             " [20, 21, 22, ..., 27, 28, 29],\n"
                             " ...,\n"
                             " [60, 61, 62, ..., 67, 68, 69],\n"
                             " [70, 71, 72, ..., 77, 78, 79],\n"
                             " [80, 81, 82, ..., 87, 88, 89]]");
  CHECK(text(Tensor({8})) == "Tensor 8 " + type() + ": [0, 0, 0, 0, 0, 0, 0, 0]");
}
