#pragma once
// Every op of the library, for all that loops over them: tests and benchmarks.

#include "registry/activations.hpp"
#include "registry/arithmetic.hpp"
#include "registry/elementwise.hpp"
#include "registry/losses.hpp"
#include "registry/matmul.hpp"
#include "registry/normalization.hpp"
#include "registry/reduce.hpp"
#include "registry/reference.hpp"
#include "registry/shape.hpp"

namespace registry {

inline const Entries& all() {
  static const Entries entries = [] {
    Entries collected;
    for (const Entries& family :
         {arithmetic(), elementwise(), activations(), matmul(), normalization(), reduce(), shapes(), losses()})
      collected.insert(collected.end(), family.begin(), family.end());
    return collected;
  }();
  return entries;
}

}  // namespace registry
