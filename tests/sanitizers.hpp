#pragma once
// For tests that a sanitizer cannot run, or not as often.

#ifndef __has_feature
#define __has_feature(name) 0  // clang's
#endif

#ifdef NDEBUG
constexpr int trial_stride = 1;
#else
constexpr int trial_stride = 7;  // sanitizers take their time: they are given one pass, or one failure, of seven
#endif
