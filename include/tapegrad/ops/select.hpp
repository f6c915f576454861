#pragma once
// Choices between elements, as Eigen expressions that stay in vector registers: Eigen 3.4's own select() branches at
// every element, and its max() and min() leave open what becomes of NaN.

#include "../core/config.hpp"
#include "../core/eigen.hpp"

namespace tapegrad::inline TAPEGRAD_ABI::detail {

/// The greater (or the lesser) of two elements; NaN if one of them is. (Not by Eigen's pmax: g++ 12 warns about its own
/// AVX-512 maximum in the user's build.)
template <bool greatest>
struct Extremum {
  Scalar operator()(Scalar a, Scalar b) const { return (greatest ? a < b : b < a) || b != b ? b : a; }
  template <class Packet>
  Packet packetOp(const Packet& a, const Packet& b) const {
    using namespace Eigen::internal;
    return pselect(pcmp_eq(b, b), pselect(greatest ? pcmp_lt(a, b) : pcmp_lt(b, a), b, a), b);
  }
};

template <class A, class B>
auto greater(const Eigen::ArrayBase<A>& a, const Eigen::ArrayBase<B>& b) {
  return a.derived().binaryExpr(b.derived(), Extremum<true>{});
}
template <class A, class B>
auto lesser(const Eigen::ArrayBase<A>& a, const Eigen::ArrayBase<B>& b) {
  return a.derived().binaryExpr(b.derived(), Extremum<false>{});
}
template <class X>
auto at_least(const Eigen::ArrayBase<X>& x, Scalar bound) {
  return greater(x, X::PlainObject::Constant(x.size(), bound));
}
template <class X>
auto at_most(const Eigen::ArrayBase<X>& x, Scalar bound) {
  return lesser(x, X::PlainObject::Constant(x.size(), bound));
}

/// `value` where `gate` is positive, or, for the opposite, where it is not (as NaN is not); 0 elsewhere.
template <bool positive>
struct KeepWhere {
  Scalar operator()(Scalar gate, Scalar value) const { return (gate > 0) == positive ? value : Scalar{0}; }
  template <class Packet>
  Packet packetOp(const Packet& gate, const Packet& value) const {
    const Packet mask = Eigen::internal::pcmp_lt(Eigen::internal::pzero(gate), gate);
    return positive ? Eigen::internal::pand(mask, value) : Eigen::internal::pandnot(value, mask);
  }
};

/// gate > 0 ? value : 0.
template <class Gate, class Value>
auto where_positive(const Eigen::ArrayBase<Gate>& gate, const Eigen::ArrayBase<Value>& value) {
  return gate.derived().binaryExpr(value.derived(), KeepWhere<true>{});
}
/// gate > 0 ? 0 : value.
template <class Gate, class Value>
auto unless_positive(const Eigen::ArrayBase<Gate>& gate, const Eigen::ArrayBase<Value>& value) {
  return gate.derived().binaryExpr(value.derived(), KeepWhere<false>{});
}
/// gate > 0 ? value : otherwise. The one that is not chosen may be anything, NaN too.
template <class Gate, class Value, class Otherwise>
auto where_positive(const Eigen::ArrayBase<Gate>& gate, const Eigen::ArrayBase<Value>& value,
                    const Eigen::ArrayBase<Otherwise>& otherwise) {
  return where_positive(gate, value) + unless_positive(gate, otherwise);
}

}  // namespace tapegrad::inline TAPEGRAD_ABI::detail

namespace Eigen::internal {

template <bool greatest>
struct functor_traits<tapegrad::detail::Extremum<greatest>> {
  enum { Cost = 3, PacketAccess = packet_traits<tapegrad::Scalar>::HasCmp };
};
template <bool positive>
struct functor_traits<tapegrad::detail::KeepWhere<positive>> {
  enum { Cost = 2, PacketAccess = packet_traits<tapegrad::Scalar>::HasCmp };
};

}  // namespace Eigen::internal
