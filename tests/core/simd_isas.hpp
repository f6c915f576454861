#pragma once
#include <vector>

#include "tapegrad/core/simd/isa.hpp"

/// Those that this machine can run.
inline std::vector<tapegrad::Isa> machine_isas() {
  std::vector<tapegrad::Isa> isas;
  for (tapegrad::Isa isa : {tapegrad::Isa::portable, tapegrad::Isa::avx2, tapegrad::Isa::avx512})
    if (tapegrad::simd::supported(isa)) isas.push_back(isa);
  return isas;
}

/// Those of them that promise the same bits.
inline std::vector<tapegrad::Isa> fused_isas() {
  std::vector<tapegrad::Isa> isas = machine_isas();
  if (isas.size() > 1) isas.erase(isas.begin());
  return isas;
}

/// The instruction set in use for as long as this lives.
struct UseIsa {
  explicit UseIsa(tapegrad::Isa isa) { tapegrad::simd::detail::override_isa(isa); }
  ~UseIsa() { tapegrad::simd::detail::override_isa(before); }
  UseIsa(const UseIsa&) = delete;
  UseIsa& operator=(const UseIsa&) = delete;
  tapegrad::Isa before = tapegrad::simd::isa();
};
