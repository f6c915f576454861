#pragma once
// What a build of tapegrad is made of: the scalar type, OpenMP or not, and the flags that change the layout of a
// type or the code of an inline function. They are all in the inline namespace's name, so that two files whose
// signatures name a tapegrad type and that were compiled differently fail to link instead of misbehaving.

// A file that is not there ends the compilation: hundreds of errors that follow from the first would hide it.
#if defined(__FAST_MATH__) || defined(__ASSOCIATIVE_MATH__) || defined(__RECIPROCAL_MATH__) || \
    (defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__)
#error "tapegrad: -ffast-math breaks NaN checks and the promise of equal bits; compile without it and its parts"
#include "the error above"
#endif

#if !defined(__cpp_exceptions)
#error "tapegrad: errors are exceptions; compile without -fno-exceptions"
#include "the error above"
#endif

#if !defined(__cpp_concepts) || !defined(__cpp_lib_span)
#include <version>
#if !defined(__cpp_concepts) || !defined(__cpp_lib_span)
#error "tapegrad: C++20 is needed; compile with -std=c++20"
#include "the error above"
#endif
#endif

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "tapegrad: a little-endian machine is needed, for the same random numbers and files as elsewhere"
#include "the error above"
#endif

#if !__has_include(<Eigen/Core>)
#error "tapegrad: Eigen 3.4 or later is needed (Debian: libeigen3-dev); compile with its -I, as -I/usr/include/eigen3"
#include "the error above"
#endif

#include <cstddef>
#include <type_traits>

/// The scalar type of the whole build: `float`, or `double` for gradient checks.
#ifndef TAPEGRAD_SCALAR
#define TAPEGRAD_SCALAR float
#endif

/// 1 where OpenMP threads are used. Define it as 0 before including to stay on one thread under -fopenmp.
#ifndef TAPEGRAD_USE_OPENMP
#ifdef _OPENMP
#define TAPEGRAD_USE_OPENMP 1
#else
#define TAPEGRAD_USE_OPENMP 0
#endif
#endif

#if TAPEGRAD_USE_OPENMP
#define TAPEGRAD_ABI_THREADS omp
#else
#define TAPEGRAD_ABI_THREADS serial
#endif

#if defined(__AVX512F__)
#define TAPEGRAD_ABI_ISA avx512
#define TAPEGRAD_EIGEN_ALIGN 64
#elif defined(__AVX2__) && defined(__FMA__)
#define TAPEGRAD_ABI_ISA avx2_fma
#define TAPEGRAD_EIGEN_ALIGN 32
#elif defined(__AVX2__)
#define TAPEGRAD_ABI_ISA avx2
#define TAPEGRAD_EIGEN_ALIGN 32
#elif defined(__AVX__) && defined(__FMA__)
#define TAPEGRAD_ABI_ISA avx_fma
#define TAPEGRAD_EIGEN_ALIGN 32
#elif defined(__AVX__)
#define TAPEGRAD_ABI_ISA avx
#define TAPEGRAD_EIGEN_ALIGN 32
#else
#define TAPEGRAD_ABI_ISA baseline
#define TAPEGRAD_EIGEN_ALIGN 16
#endif

// Eigen defines these itself when it was included first; only a value of the user's own is of interest here. Without
// alignment, it does not vectorise either.
#if defined(EIGEN_DONT_VECTORIZE) || defined(EIGEN_DONT_ALIGN)
#define TAPEGRAD_ABI_EIGEN scalar
#elif defined(EIGEN_MAX_ALIGN_BYTES) && EIGEN_MAX_ALIGN_BYTES == 0
#define TAPEGRAD_ABI_EIGEN scalar
#elif defined(EIGEN_MAX_ALIGN_BYTES) && EIGEN_MAX_ALIGN_BYTES != TAPEGRAD_EIGEN_ALIGN
#define TAPEGRAD_ABI_EIGEN realigned
#else
#define TAPEGRAD_ABI_EIGEN eigen
#endif

// libstdc++'s containers and strings have other layouts with these.
#if defined(_GLIBCXX_DEBUG)
#define TAPEGRAD_ABI_STD _std_debug
#elif defined(_GLIBCXX_USE_CXX11_ABI) && !_GLIBCXX_USE_CXX11_ABI
#define TAPEGRAD_ABI_STD _std_before_cxx11
#else
#define TAPEGRAD_ABI_STD
#endif

/// For functions that exist only inlined: those that kernels are made of, to be compiled for the kernel's instruction
/// set, and those that are a test and a call.
#define TAPEGRAD_INLINE __attribute__((always_inline)) inline

/// Before each function whose body need not be compiled with every file that calls it: where the build defines
/// TAPEGRAD_COMPILED, the headers only declare these, and compiled/*.cpp have their bodies.
#ifdef TAPEGRAD_COMPILED
#define TAPEGRAD_BODY
#else
#define TAPEGRAD_BODY inline
#endif

#define TAPEGRAD_JOIN_(scalar, threads, isa, eigen, std) scalar##_##threads##_##isa##_##eigen##std
#define TAPEGRAD_JOIN(scalar, threads, isa, eigen, std) TAPEGRAD_JOIN_(scalar, threads, isa, eigen, std)
/// The inline namespace: `tapegrad::float_omp_baseline_eigen::Tensor`.
#define TAPEGRAD_ABI \
  TAPEGRAD_JOIN(TAPEGRAD_SCALAR, TAPEGRAD_ABI_THREADS, TAPEGRAD_ABI_ISA, TAPEGRAD_ABI_EIGEN, TAPEGRAD_ABI_STD)

namespace tapegrad::inline TAPEGRAD_ABI {

/// The type of every tensor element in this build.
using Scalar = TAPEGRAD_SCALAR;
static_assert(std::is_same_v<Scalar, float> || std::is_same_v<Scalar, double>,
              "tapegrad: TAPEGRAD_SCALAR is float or double");

/// Sizes, counts and positions: signed, as Eigen's.
using Index = std::ptrdiff_t;

namespace detail {
inline constexpr const char* scalar_name = std::is_same_v<Scalar, float> ? "float" : "double";
}

}  // namespace tapegrad::inline TAPEGRAD_ABI
