#pragma once
// The tiles and packs of each instruction set, as a table that the driver (product.hpp) works with.

#include "pack.hpp"
#include "tile.hpp"

namespace tapegrad::inline TAPEGRAD_ABI::gemm_detail {

/// The widest vector.
inline constexpr int max_lanes = 16;

struct Kernel {
  int lanes;
  int height;
  void (*half_tiles[max_width])(PanelWork*);  // [w - 1]: w vectors wide; for half the height
  void (*tiles[max_width])(PanelWork*);
  void (*copying_tiles)(PanelWork*);  // of the whole height and width
  void (*pack_rows)(const PackWork*);
  void (*pack_columns)(const PackWork*);
  void (*pack_any)(const PackWork*);
  void (*pack_strip)(const PackWork*);

  void pack(const PackWork& work) const {
    if (work.col_stride == 1)
      pack_rows(&work);
    else if (work.row_stride == 1)
      pack_columns(&work);
    else
      pack_any(&work);
  }

  /// The rows of C under a panel so wide. Up to half a strip at the end takes half a tile.
  void multiply(PanelWork& work, Index width) const {
    const Index w = width / lanes - 1;
    const Index rest = work.rows % height;
    const bool half = rest > 0 && 2 * rest <= height;
    if (half) work.rows -= rest;
    tiles[w](&work);
    if (half) {
      work.rows = rest;
      half_tiles[w](&work);
    }
  }
};

/// AVX-512 has 32 registers: 8 x 3 hold C, 3 a row of B, 1 or 2 the number of A. The others have 16: 4 x 3 + 3 + 1.
template <Isa isa, int lanes, int height>
inline constexpr Kernel kernel_for = {
    lanes,
    height,
    {simd::run_for<isa, Tiles<height / 2, 1>, PanelWork*>, simd::run_for<isa, Tiles<height / 2, 2>, PanelWork*>,
     simd::run_for<isa, Tiles<height / 2, 3>, PanelWork*>},
    {simd::run_for<isa, Tiles<height, 1>, PanelWork*>, simd::run_for<isa, Tiles<height, 2>, PanelWork*>,
     simd::run_for<isa, Tiles<height, 3>, PanelWork*>},
    simd::run_for<isa, Tiles<height, max_width, true>, PanelWork*>,
    simd::run_for<isa, PackRows, const PackWork*>,
    simd::run_for<isa, PackColumns, const PackWork*>,
    simd::run_for<Isa::portable, PackAny, const PackWork*>,
    simd::run_for<isa, PackStrip<height>, const PackWork*>,
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
