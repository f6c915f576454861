#pragma once
// Eigen through one door, without its warnings in the user's build.

#if defined(__GNUC__)
#pragma GCC system_header
#endif

#include "config.hpp"  // says so where there is no Eigen

#include <Eigen/Core>
