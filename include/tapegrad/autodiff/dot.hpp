#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tape.hpp"

namespace tapegrad::inline TAPEGRAD_ABI {

namespace detail {

/// Reads a tape's nodes for drawing.
struct GraphWriter {
  static std::string write(Var root) {
    Tape& tape = root.tape();
    tape.node(root, "to_dot");
    std::vector<bool> reached(root.index_ + 1);
    reached[root.index_] = true;
    std::string nodes, edges;
    for (std::uint32_t index = root.index_ + 1; index-- > 0;) {
      if (!reached[index]) continue;
      const Node& node = tape.nodes_[index];
      nodes += concat("  n", index, " [label=\"", node.made_by(), "\\n", node.value.shape(), "\"", style(node), "];\n");
      for (std::uint32_t i = 0; i < node.input_count; ++i) {
        reached[node.inputs[i]] = true;
        edges += concat("  n", node.inputs[i], " -> n", index, ";\n");
      }
    }
    return "digraph tape {\n  node [shape=box, fontname=\"sans-serif\"];\n" + nodes + edges + "}\n";
  }

 private:
  static const char* style(const Node& node) {
    if (node.is_parameter()) return ", style=filled, fillcolor=lightblue";
    return node.requires_grad ? "" : ", color=gray, fontcolor=gray";
  }
};

}  // namespace detail

/// The computation that led to `root`, in Graphviz' language: `dot -Tsvg`. Parameters are blue, what requires no
/// gradient is grey.
inline std::string to_dot(Var root) { return detail::GraphWriter::write(root); }

}  // namespace tapegrad::inline TAPEGRAD_ABI
