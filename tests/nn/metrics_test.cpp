#include "tapegrad/nn/metrics.hpp"

#include "catch.hpp"

using namespace tapegrad;

TEST_CASE("count_correct counts rows whose first largest score is at the label") {
  const Tensor scores({4, 3}, {0, 1, 2, 5, 1, 2, 3, 3, 1, 0, 0, 9});
  const std::vector<Index> labels{2, 0, 0, 1};
  CHECK(nn::count_correct(scores, labels) == 3);
  CHECK(nn::count_correct(scores, Eigen::Vector4i(2, 0, 0, 2)) == 4);
  CHECK(nn::count_correct(Tensor({0, 3}), std::vector<int>{}) == 0);
  CHECK(nn::count_correct(Tensor({2, 2}, {0, 1, 1, 0}), std::vector<bool>{true, true}) == 1);
  CHECK(nn::count_correct(Tensor({1, 2}, {0, 1}), std::string{'\1'}) == 1);
  CHECK_THROWS_WITH(nn::count_correct(scores, std::span(labels).first(3)),
                    "count_correct: scores are 4x3, and there are 3 labels; scores must be samples x classes, with at "
                    "least one class and one label a sample");
  CHECK_THROWS_AS(nn::count_correct(Tensor({4}), labels), ShapeError);
  CHECK_THROWS_AS(nn::count_correct(Tensor({4, 1, 3}), labels), ShapeError);
  CHECK_THROWS_AS(nn::count_correct(Tensor({0, 0}), std::vector<int>{}), ShapeError);
  CHECK_THROWS_WITH(nn::count_correct(Tensor({2, 3}), std::vector<int>{0, 3}),
                    "count_correct: label 3 in row 1; there are 3 classes");
  CHECK_THROWS_AS(nn::count_correct(Tensor({2, 3}), std::vector<int>{0, -1}), ValueError);
  const Scalar nan = std::numeric_limits<Scalar>::quiet_NaN();
  CHECK(nn::count_correct(Tensor({2, 2}, {nan, 1, 1, nan}), std::vector<int>{0, 0}) == 0);
}

TEST_CASE("a running mean weighs batches by their size") {
  nn::RunningMean mean;
  CHECK(std::isnan(mean.value()));
  mean.add(1, 3);
  mean.add(5);
  CHECK(mean.value() == 2);
  CHECK_THROWS_WITH(mean.add(1, -1), "RunningMean: got a weight of -1; it must be 0 or more, and finite");
  CHECK_THROWS_AS(mean.add(1, std::nan("")), ValueError);
  CHECK(mean.value() == 2);

  nn::RunningMean other;
  other.restore(0, 0);
  CHECK(std::isnan(other.value()));
  other.restore(mean.total(), mean.weight());
  other.add(6, 4);
  CHECK(other.value() == 4);
  CHECK_THROWS_WITH(other.restore(1, -1), "RunningMean: restore with a weight of -1; it must be 0 or more, and finite");
  CHECK(other.value() == 4);
}

TEST_CASE("accuracy is over all batches") {
  nn::Accuracy accuracy;
  CHECK(std::isnan(accuracy.value()));
  accuracy.add(Tensor({3, 2}, {0, 1, 1, 0, 1, 0}), std::vector<int>{1, 0, 0});
  accuracy.add(Tensor({1, 2}, {0, 1}), std::vector<int>{0});
  CHECK(accuracy.value() == 0.75);
  CHECK_THROWS_AS(accuracy.add(Tensor({1, 2}), std::vector<int>{0, 1}), ShapeError);
  CHECK(accuracy.value() == 0.75);
}

TEST_CASE("LogMeanExp: the logarithm of a mean of what no double could hold") {
  const auto of = [](std::initializer_list<double> numbers) {
    nn::LogMeanExp result;
    for (double x : numbers) result.add(x);
    return result.value();
  };
  const double infinity = std::numeric_limits<double>::infinity(), log2 = std::log(2.0);
  CHECK(of({-90}) == -90);
  CHECK(of({-90, -90}) == Approx(-90));
  CHECK(of({log2, 3 * log2, 0, 0}) == Approx(log2 * std::log2(3.0)));  // (2 + 8 + 1 + 1) / 4
  CHECK(of({0, 0, 3 * log2, log2}) == Approx(std::log(3.0)));          // the largest in the middle
  CHECK(of({-2000, -1000}) == Approx(-1000 - log2));
  CHECK(of({1000, 2000}) == Approx(2000 - log2));
  CHECK(of({-infinity, -5, -infinity, -infinity}) == Approx(-5 - 2 * log2));
  CHECK(of({-infinity, -infinity}) == -infinity);
  CHECK(of({1, infinity, 2, infinity}) == infinity);
  CHECK(std::isnan(of({0, std::nan(""), 1})));
  CHECK(std::isnan(of({})));
}
