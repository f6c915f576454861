#pragma once
// The tiles and packs of each instruction set, as a table that the driver (product.hpp) works with.

#include <array>
#include <limits>
#include <type_traits>

#include "pack.hpp"
#include "tile.hpp"

namespace tapegrad::inline TAPEGRAD_ABI::gemm_detail {

/// From where on it pays to fetch and to pack. For AVX-512 that is sooner: it fetches beside its steps of k, and its
/// multiply-adds spread a number of A themselves if the address is simple, as in packed strips.
struct Thresholds {
  // The next panel of B is fetched while so many strips of A are at work on this one. Contiguous rows want more of them
  // than contiguous columns, as the processor foresees much of those by itself.
  Index row_fetch_strips;
  Index column_fetch_strips;
  Index fetch_numbers;  // a C of so many numbers comes from far: what is written next is fetched
  Index near_panels;    // strips of A are packed for so many panels of B even where A's rows lie near
};
template <int lanes>
inline constexpr Thresholds thresholds = {8, 4, 1 << 16, std::numeric_limits<Index>::max()};
template <>
inline constexpr Thresholds thresholds<max_lanes> = {2, 2, 1 << 13, 3};

struct Kernel {
  using TilesOfWidth = std::array<void (*)(PanelWork*), max_width>;  // [w - 1]: w vectors wide

  int lanes;
  int height;
  const Thresholds& pays_from;
  TilesOfWidth tiles;
  TilesOfWidth half_tiles;            // of half the height
  TilesOfWidth side_by_side_tiles;    // for whole strips of A whose rows lie side by side
  void (*copying_tiles)(PanelWork*);  // of the whole height and width
  void (*pack_panel)(const PackWork*);
  void (*pack_strip)(const PackWork*);

  /// The rows of C under a panel so wide. Up to half a strip at the end takes half a tile.
  void multiply(PanelWork& work, Index width, bool side_by_side) const {
    const auto w = static_cast<std::size_t>(width / lanes - 1);
    const Index rest = work.rows % height;
    work.rows -= rest;
    (side_by_side ? side_by_side_tiles : tiles)[w](&work);
    if (rest == 0) return;
    work.rows = rest;
    (2 * rest <= height ? half_tiles : tiles)[w](&work);
  }
};

template <Isa isa, int height, bool side_by_side = false>
inline constexpr Kernel::TilesOfWidth tiles_for = {simd::run_for<isa, Tiles<height, 1, side_by_side>, PanelWork*>,
                                                   simd::run_for<isa, Tiles<height, 2, side_by_side>, PanelWork*>,
                                                   simd::run_for<isa, Tiles<height, 3, side_by_side>, PanelWork*>};

/// AVX-512 has 32 registers: 8 x 3 hold C, 3 a row of B, 1 or 2 the number of A. The others have 16: 4 x 3 + 3 + 1.
/// Only AVX-512 profits from rows side by side.
template <Isa isa, int lanes, int height>
inline constexpr Kernel kernel_for = {
    .lanes = lanes,
    .height = height,
    .pays_from = thresholds<lanes>,
    .tiles = tiles_for<isa, height>,
    .half_tiles = tiles_for<isa, height / 2>,
    .side_by_side_tiles = tiles_for<isa, height, lanes == max_lanes>,
    .copying_tiles = simd::run_for<isa, Tiles<height, max_width, false, true>, PanelWork*>,
    .pack_panel = simd::run_for<isa, PackPanel, const PackWork*>,
    .pack_strip = simd::run_for<isa, PackStrip<height>, const PackWork*>,
};

/// The one for the instruction set in use; in double there is but one.
inline const Kernel& kernel() {
  if constexpr (std::is_same_v<Scalar, float>) {
    if (simd::isa() == Isa::avx512) return kernel_for<Isa::avx512, 16, 8>;
    if (simd::isa() == Isa::avx2) return kernel_for<Isa::avx2, 8, 4>;
  }
  return kernel_for<Isa::portable, 4, 4>;
}

}  // namespace tapegrad::inline TAPEGRAD_ABI::gemm_detail
