#include "tapegrad/core/error.hpp"

#include <cmath>
#include <limits>

#include "catch.hpp"
#include "tapegrad/core/shape.hpp"

using namespace tapegrad;

TEST_CASE("messages write numbers as streams do, and take all kinds of parts") {
  const std::string text = "text";
  CHECK(detail::concat(text, ' ', "literal ", std::string_view("view "), -1, " ", std::size_t{2}, " ", Shape{2, 3}) ==
        "text literal view -1 2 2x3");
  CHECK(detail::concat(0.1f, " ", 1e30, " ", 1234567.0, " ", -0.0, " ", 3.0) == "0.1 1e+30 1.23457e+06 -0 3");
  CHECK(detail::concat(std::numeric_limits<double>::infinity(), " ", std::nan(""), " ", -std::nan("")) ==
        "inf nan nan");
  CHECK(detail::concat() == "");
}

TEST_CASE("an error says once where it happened: the innermost place") {
  Error error("x");
  error.locate("inner");
  error.locate("outer");
  CHECK(error.what() == std::string("x [inner]"));
}

TEST_CASE("an error names its op once, which a message that only begins so does not") {
  Error error("sum of squares: x");
  for (int times = 0; times < 2; ++times) error.name_op("sum");
  CHECK(error.what() == std::string("sum: sum of squares: x"));
}

TEST_CASE("a listing shows ten things, and says how many more there are") {
  detail::Listing list;
  for (int i = 0; i < 10; ++i) list.add("a");
  CHECK(list.str() == "a, a, a, a, a, a, a, a, a, a");
  list.add("b");
  list.add("b");
  CHECK(list.str() == "a, a, a, a, a, a, a, a, a, a and 2 more");
}

TEST_CASE("require throws its error, with the message, only if it must") {
  CHECK_NOTHROW(detail::require<ValueError>(true, "not this"));
  CHECK_THROWS_AS(detail::require<ShapeError>(false, "x"), ShapeError);
  CHECK_THROWS_WITH(detail::require<ValueError>(false, "got ", 3, "; at most ", 2, " will do"),
                    "got 3; at most 2 will do");
}
