#pragma once
// Eigen's tensors through one door, as eigen.hpp.

#if defined(__GNUC__)
#pragma GCC system_header
#endif

#include "eigen.hpp"

#include <unsupported/Eigen/CXX11/Tensor>
