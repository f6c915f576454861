#pragma once

#include <cstdio>
#include <cstdlib>
#include <string>

/// How often to try something: `quick` in ./dev test, `torture` in ./dev torture.
inline int times(int quick, int torture) { return std::getenv("TAPEGRAD_TORTURE") ? torture : quick; }

/// Says what was tried, and how often, in the table of ./dev torture.
inline void tell_tried(const std::string& what) {
  if (std::getenv("TAPEGRAD_TORTURE")) std::printf("tried: %s\n", what.c_str());
}
