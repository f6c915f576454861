#include "tapegrad/optim/early_stopping.hpp"

#include <cmath>

#include "catch.hpp"

using namespace tapegrad;

TEST_CASE("early stopping waits as long as its patience, from the best value on") {
  optim::EarlyStopping stopping({.patience = 2});
  CHECK_FALSE(stopping.should_stop());
  CHECK(stopping.improved(5));
  CHECK_FALSE(stopping.improved(6));
  CHECK(stopping.improved(4));
  CHECK_FALSE(stopping.improved(4));
  CHECK_FALSE(stopping.should_stop());
  CHECK_FALSE(stopping.improved(std::nan("")));
  CHECK(stopping.should_stop());
  CHECK(stopping.best() == 4);
  CHECK(stopping.since_best() == 2);
}

TEST_CASE("early stopping can ask for more than a little") {
  optim::EarlyStopping stopping({.patience = 1, .min_delta = 0.5});
  CHECK(stopping.improved(1));
  CHECK_FALSE(stopping.improved(0.6));
  CHECK(stopping.improved(0.4));
  CHECK(stopping.best() == 0.4);
}

TEST_CASE("options of early stopping that cannot be right are refused") {
  CHECK_THROWS_WITH(optim::EarlyStopping({.patience = 0}), "early_stopping: patience = 0; it must be at least 1");
  CHECK_THROWS_WITH(optim::EarlyStopping({.min_delta = -1}),
                    "early_stopping: min_delta = -1; it must be finite and at least 0");
  CHECK_THROWS_AS(optim::EarlyStopping({.min_delta = INFINITY}), ValueError);
}

TEST_CASE("early stopping goes on where it was, but not where it cannot have been") {
  optim::EarlyStopping stopping({.patience = 2});
  stopping.restore(3, 1);
  CHECK_FALSE(stopping.improved(3));
  CHECK(stopping.should_stop());
  CHECK_THROWS_WITH(
      stopping.restore(std::nan(""), 0),
      "early_stopping: restore with best nan, since_best 0; the best is a number, the count not negative");
  CHECK_THROWS_AS(stopping.restore(1, -3), ValueError);
  CHECK(stopping.best() == 3);
}

TEST_CASE("early stopping has a patience of 5 unless told otherwise") {
  optim::EarlyStopping stopping;
  stopping.improved(1);
  for (int i = 0; i < 4; ++i) stopping.improved(1);
  CHECK_FALSE(stopping.should_stop());
  stopping.improved(1);
  CHECK(stopping.should_stop());
}
