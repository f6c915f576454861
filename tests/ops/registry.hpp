#pragma once
// Every op of the library, for all that loops over them: tests and benchmarks.

#include "registry/activations.hpp"
#include "registry/arithmetic.hpp"
#include "registry/elementwise.hpp"
#include "registry/matmul.hpp"
#include "registry/reference.hpp"

namespace registry {

inline const Entries& all() {
  static const Entries entries = [] {
    Entries collected;
    for (const Entries& family : {arithmetic(), elementwise(), activations(), matmul()})
      collected.insert(collected.end(), family.begin(), family.end());
    return collected;
  }();
  return entries;
}

}  // namespace registry
