#include "tapegrad/autodiff/dot.hpp"

#include "catch.hpp"
#include "toy_ops.hpp"

using namespace tapegrad;

TEST_CASE("the graph shows what led to a Var, and nothing else") {
  Tape tape;
  Parameter weight(Tensor({2, 3}));
  Var x = tape.constant(Tensor({2, 3}));
  Var w = tape.parameter(weight);
  tape.variable(Tensor({7}));
  CHECK(to_dot(toy::product(x, w)) ==
        "digraph tape {\n"
        "  node [shape=box, fontname=\"sans-serif\"];\n"
        "  n3 [label=\"product\\n2x3\"];\n"
        "  n1 [label=\"parameter\\n2x3\", style=filled, fillcolor=lightblue];\n"
        "  n0 [label=\"constant\\n2x3\", color=gray, fontcolor=gray];\n"
        "  n0 -> n3;\n"
        "  n1 -> n3;\n"
        "}\n");
  CHECK(to_dot(detach(w)).find("parameter") == std::string::npos);
  tape.reset();
  CHECK_THROWS_AS(to_dot(w), TapeError);
}
