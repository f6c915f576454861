#include "tapegrad/autodiff/print.hpp"

#include <sstream>

#include "catch.hpp"
#include "toy_ops.hpp"

using namespace tapegrad;

namespace {
std::string text(Var var) {
  std::ostringstream out;
  out << var;
  return out.str();
}
}  // namespace

TEST_CASE("a Var is printed with what made it") {
  Tape tape;
  Parameter weight(Tensor({2}, {1, 2}));
  const Var constant = tape.constant(Tensor({}, 3)), variable = tape.variable(Tensor({1, 1}, {4}));
  const std::string type = detail::scalar_name;
  CHECK(text(constant) == "Var scalar " + type + ", constant: 3");
  CHECK(text(variable) == "Var 1x1 " + type + ", variable, requires grad:\n[[4]]");
  CHECK(text(tape.parameter(weight)) == "Var 2 " + type + ", parameter, requires grad: [1, 2]");
  CHECK(text(toy::product(constant, constant)) == "Var scalar " + type + ", product: 9");
  tape.reset();
  CHECK_THROWS_AS(text(constant), TapeError);
}

TEST_CASE("a profile is a table, the longest op first") {
  CHECK(to_table({{"relu", 1, 0.25e-3, 0}, {"linear", 20, 1e-3, 0.75e-3}}) ==
        "op                calls  forward ms  backward ms  share\n"
        "linear               20       1.000        0.750   88 %\n"
        "relu                  1       0.250        0.000   12 %\n"
        "all                  21       1.250        0.750  100 %\n");
  CHECK(to_table({}) ==
        "op                calls  forward ms  backward ms  share\n"
        "all                   0       0.000        0.000  100 %\n");
}

TEST_CASE("in a profile backward counts for which op is the longest") {
  const std::string table = to_table({{"relu", 1, 2e-3, 0}, {"linear", 1, 1e-3, 3e-3}});
  CHECK(table.find("linear") < table.find("relu"));
}
