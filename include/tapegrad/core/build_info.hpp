#pragma once

#include <string>

#include "eigen.hpp"
#include "parallel.hpp"
#include "simd/isa.hpp"
#include "version.hpp"

namespace tapegrad::inline TAPEGRAD_ABI {

/// What this program was built of and runs on, in one line: what a bug report needs, and what equal bits depend on.
/// "tapegrad 0.1.0, float, avx512 kernels, OpenMP, 2 threads, Eigen 3.4.0, g++ 12.2.0". Portable kernels "that round
/// products" are those compiled by flags without fused multiply-adds: bits differ from all others'.
inline std::string build_info() {
#if defined(__clang__)
  const std::string compiler =
      detail::concat("clang ", __clang_major__, ".", __clang_minor__, ".", __clang_patchlevel__);
#elif defined(__GNUC__)
  const std::string compiler = "g++ " __VERSION__;
#else
  const std::string compiler = "an unknown compiler";
#endif
#ifdef EIGEN_VERSION_STRING  // since Eigen 5, whose numbers below are 3, 5 and what follows
  const std::string eigen = EIGEN_VERSION_STRING;
#else
  const std::string eigen = detail::concat(EIGEN_WORLD_VERSION, ".", EIGEN_MAJOR_VERSION, ".", EIGEN_MINOR_VERSION);
#endif
  return detail::concat("tapegrad " TAPEGRAD_VERSION ", ", detail::scalar_name, ", ", name(simd::isa()), " kernels",
                        simd::fuses() ? "" : " that round products", ", ", TAPEGRAD_USE_OPENMP ? "OpenMP" : "no OpenMP",
                        ", ", num_threads(), num_threads() == 1 ? " thread" : " threads", ", Eigen ", eigen, ", ",
                        compiler);
}

}  // namespace tapegrad::inline TAPEGRAD_ABI
