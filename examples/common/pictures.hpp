#pragma once

#include <cmath>
#include <tapegrad/io.hpp>

#include "samples.hpp"

namespace examples {

/// The x at which the standard normal distribution function is p, by bisection.
inline double inverse_normal_cdf(double p) {
  double low = -10, high = 10;
  for (int i = 0; i < 60; ++i) {
    const double middle = (low + high) / 2;
    (std::erfc(-middle / std::sqrt(2.0)) / 2 < p ? low : high) = middle;
  }
  return low;
}

/// Codes on a side x side grid whose cells are equally likely under N(0, I) in two dimensions: shape (side^2, 2).
inline tg::Tensor manifold_codes(int side) {
  tg::Tensor codes({side * side, 2});
  for (int row = 0; row < side; ++row) {
    for (int col = 0; col < side; ++col) {
      codes(row * side + col, 0) = static_cast<tg::Scalar>(inverse_normal_cdf((col + 0.5) / side));
      codes(row * side + col, 1) = static_cast<tg::Scalar>(inverse_normal_cdf((side - row - 0.5) / side));
    }
  }
  return codes;
}

/// Row i of `first` above row i of `second`, in strips of `columns`, the last one filled up with black: shape
/// (2 strips * columns, 784), to be drawn with `columns` columns.
inline tg::Tensor in_pairs(tg::ConstTensorView first, tg::ConstTensorView second, int columns) {
  const tg::Index count = first.shape().rows();
  const tg::Index strips = (count + columns - 1) / columns;
  tg::Tensor pairs({2 * strips * columns, first.shape().cols()});
  for (tg::Index i = 0; i < count; ++i) {
    const tg::Index above = i / columns * 2 * columns + i % columns;
    pairs.matrix().row(above) = first.matrix().row(i);
    pairs.matrix().row(above + columns) = second.matrix().row(i);
  }
  return pairs;
}

/// Writes images, one a row of 784 pixels in [0, 1], as a grid to the folder of a run.
inline void draw(const Options& options, const std::string& name, tg::ConstTensorView images, int columns) {
  tg::io::save_png_grid(output_path(options, name), images, {.columns = columns});
}

/// interpolation.png: strips of what the decoder makes of codes on the straight way from each row of `from` to that row
/// of `to`.
inline void draw_interpolation(const Options& options, Decoder& decoder, tg::ConstTensorView from,
                               tg::ConstTensorView to) {
  constexpr int columns = 12;
  const auto [count, latent] = std::array{from.shape().rows(), from.shape().cols()};
  tg::Tensor codes({count * columns, latent});
  for (tg::Index row = 0; row < codes.shape().rows(); ++row) {
    const auto along = static_cast<tg::Scalar>(row % columns) / (columns - 1);
    codes.matrix().row(row) = (1 - along) * from.matrix().row(row / columns) + along * to.matrix().row(row / columns);
  }
  draw(options, "interpolation.png", decoder.images(codes), columns);
}

/// What the decoder makes of draws from N(0, I): 100 in samples.png, more in samples.npy; with two latent axes also
/// manifold.png.
inline void draw_samples(const Options& options, Decoder& decoder, tg::Rng rng) {
  draw(options, "samples.png", decoder.images(draw_codes(100, options.latent, rng)), 10);
  write_samples(options, decoder, rng);
  if (options.latent == 2) draw(options, "manifold.png", decoder.images(manifold_codes(20)), 20);
}

}  // namespace examples
