#pragma once
// Choices between numbers, four at a time (blocks.hpp). What becomes of NaN is said of each.

#include "blocks.hpp"

namespace tapegrad::inline TAPEGRAD_ABI::detail {

/// The greater of two numbers; NaN if one of them is.
TAPEGRAD_INLINE Four greater(const Four& a, const Four& b) { return if_less(a, b, b, if_nan(b, b, a)); }
/// The lesser of two numbers; NaN if one of them is.
TAPEGRAD_INLINE Four lesser(const Four& a, const Four& b) { return if_less(b, a, b, if_nan(b, b, a)); }
/// x, but `bound` where it is less; NaN stays.
TAPEGRAD_INLINE Four at_least(const Four& x, Scalar bound) { return if_less(x, Four::all(bound), Four::all(bound), x); }
/// x, but `bound` where it is greater; NaN stays.
TAPEGRAD_INLINE Four at_most(const Four& x, Scalar bound) { return if_less(Four::all(bound), x, Four::all(bound), x); }

/// 1, 0 or -1; NaN for NaN.
TAPEGRAD_INLINE Four sign(const Four& x) {
  const Four zero = Four::zero();
  return if_less(zero, x, Four::all(1), if_less(x, zero, Four::all(-1), x));
}

/// gate > 0 ? value : otherwise, which by default is 0.
TAPEGRAD_INLINE Four where_positive(const Four& gate, const Four& value, const Four& otherwise = Four::zero()) {
  return if_less(Four::zero(), gate, value, otherwise);
}

/// What one of two gets of a value, by how far it leads the other: all of it where `lead` is positive, nothing where it
/// is negative, half where it is 0 or NaN.
TAPEGRAD_INLINE Four share_of(const Four& lead, const Four& value) {
  return where_positive(lead, value, where_positive(-lead, Four::zero(), value / 2));
}

}  // namespace tapegrad::inline TAPEGRAD_ABI::detail
