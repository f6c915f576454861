// The figures that `judge` gives, on sets of points whose answers are known.

#include "../../examples/common/judging.hpp"

#include "catch.hpp"
#include "threads.hpp"

using namespace examples;

namespace {

tg::Tensor normal(tg::Index count, tg::Index width, double mean, double std, std::uint64_t seed) {
  tg::Tensor rows({count, width});
  tg::Rng rng(seed);
  rng.normal(rows, mean, std);
  return rows;
}

Likeness compare(tg::ConstTensorView real, tg::ConstTensorView made, int k) {
  return examples::compare(real, neighbours(real, k), made, neighbours(made, k));
}

}  // namespace

TEST_CASE("the Frechet distance of two normal distributions is the formula's") {
  Normal a(normal(10, 2, 0, 1, 1)), b = a;
  a.mean << 1, 2;
  b.mean << 4, 6;
  a.covariance << 4, 0, 0, 9;
  b.covariance << 1, 0, 0, 16;
  CHECK(frechet_distance(a, b) == Approx(25 + 1 + 1));  // |(3, 4)|^2 + (2 - 1)^2 + (3 - 4)^2
  CHECK(frechet_distance(b, a) == Approx(27));
  CHECK(frechet_distance(a, a) == Approx(0).margin(1e-9));

  // Rotated by the same angle, they are as far apart as before; matrices that do not commute are dealt with.
  const Eigen::Matrix2d turn = Eigen::Rotation2Dd(0.7).toRotationMatrix();
  Normal c = a, d = b;
  for (Normal* each : {&c, &d}) {
    each->mean = each->mean * turn.transpose();
    each->covariance = turn * each->covariance * turn.transpose();
  }
  CHECK(frechet_distance(c, d) == Approx(27));
  b.covariance << 2, 1, 1,
      2;  // tr(A + B) = 17; tr((A^1/2 B A^1/2)^1/2) = sqrt(26 + 2 sqrt(108)), of trace and determinant
  CHECK(frechet_distance(a, b) == Approx(25 + 17 - 2 * std::sqrt(26 + 2 * std::sqrt(108.0))));
}

TEST_CASE("the Frechet distance has the same bits on any number of threads") {
  const tg::Tensor a = normal(500, 200, 0, 1, 1), b = normal(500, 200, 1, 2, 2);
  const auto distance = [&](int threads) {
    const Threads guard(threads);
    return frechet_distance(Normal(a), Normal(b));
  };
  CHECK(distance(3) == distance(1));
}

TEST_CASE("a normal distribution is fitted to rows") {
  const Normal fitted(tg::Tensor({4, 2}, {0, 0, 2, 0, 0, 2, 2, 2}));
  CHECK(fitted.mean[0] == Approx(1));
  CHECK(fitted.covariance(0, 0) == Approx(4.0 / 3));
  CHECK(fitted.covariance(0, 1) == Approx(0).margin(1e-12));
  CHECK_THROWS_WITH(Normal(tg::Tensor({1, 2})), ContainsSubstring("two samples"));
}

TEST_CASE("neighbours are other rows") {
  const Neighbours found = neighbours(tg::Tensor({4, 1}, {0, 1, 3, 7}), 2);
  const double nearest[] = {1, 1, 4, 16}, second[] = {9, 4, 9, 36};
  for (int i = 0; i < 4; ++i) {
    CHECK(found.nearest[i] == Approx(nearest[i]));
    CHECK(found.radius[i] == Approx(second[i]));
  }
  CHECK_THROWS_WITH(neighbours(tg::Tensor({3, 1}), 3), ContainsSubstring("more than k"));
}

TEST_CASE("precision and recall tell good from complete") {
  const tg::Tensor real({4, 1}, {0, 1, 10, 11});
  const Likeness half = compare(real, tg::Tensor({4, 1}, {0, 0.5, 0.75, 1}), 1);  // all good, half of it missing
  CHECK(half.precision == 1);
  CHECK(half.recall == 0.5);
  const Likeness wide = compare(real, tg::Tensor({4, 1}, {0.5, 10.5, 100, -100}), 1);  // half of it far off
  CHECK(wide.precision == 0.5);
  CHECK(wide.recall == 1);
}

TEST_CASE("samples of one distribution look alike, others do not") {
  const tg::Index count = 1200;  // more than one block of distances, the last not full
  const tg::Tensor real = normal(count, 4, 0, 1, 7);
  const Likeness same = compare(real, normal(count, 4, 0, 1, 8), 3);
  CHECK(same.own_kind == Approx(0.5).margin(0.04));
  CHECK(same.precision > 0.9);
  CHECK(same.recall > 0.9);
  const Likeness off = compare(real, normal(count, 4, 30, 1, 8), 3);
  CHECK(off.own_kind == 1);
  CHECK(off.precision == 0);
  CHECK(off.recall == 0);
  const Likeness collapsed = compare(real, normal(count, 4, 0, 0.01, 8), 3);
  CHECK(collapsed.recall < 0.1);
  CHECK(compare(real, real, 3).own_kind < 0.001);  // each has a copy of itself on the other side
}

TEST_CASE("the entropy of classes is ln n when all come equally often") {
  CHECK(entropy(Eigen::ArrayXd::Constant(10, 0.1)) == Approx(std::log(10)));
  CHECK(entropy(Eigen::VectorXd::Unit(10, 3).array()) == 0);
}
