#pragma once
// Every op of the library, for all that loops over them: tests and benchmarks.

#include "registry/elementwise.hpp"
#include "registry/reference.hpp"

namespace registry {

inline const Entries& all() {
  static const Entries entries = [] {
    Entries collected;
    for (const Entries& family : {elementwise()}) collected.insert(collected.end(), family.begin(), family.end());
    return collected;
  }();
  return entries;
}

}  // namespace registry
