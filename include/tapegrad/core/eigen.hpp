#pragma once
// Eigen through one door, without its warnings in the user's build.

#if defined(__GNUC__)
#pragma GCC system_header
#endif

#include "config.hpp"  // says so where there is no Eigen

#include <Eigen/Core>

#if !EIGEN_VERSION_AT_LEAST(3, 4, 0)
#error "tapegrad: Eigen 3.4 or later is needed; an earlier one comes first on the compiler's -I and -isystem"
#include "the error above"
#endif
