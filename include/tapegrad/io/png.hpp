#pragma once
// Pictures, as PNG files of 8 bits a channel, through libpng.

#include "../core/tensor.hpp"
#include "file.hpp"

namespace tapegrad::inline TAPEGRAD_ABI::io {

/// How image_grid() and save_png_grid() read their rows, and lay them out.
struct GridOptions {
  Index height = 28;      ///< of one image
  Index width = 28;       ///< of one image
  Index channels = 1;     ///< 1: grey; 3: red, green and blue for each pixel
  Index columns = 0;      ///< images side by side; 0: as many as make a square
  Index padding = 2;      ///< pixels between images and around them
  double background = 0;  ///< their level, 0 to 1
};

/// Images (count, height * width * channels), a row an image, side by side in one: (h, w) if grey, else (h, w, 3).
/// Throws ShapeError or ValueError where the options do not fit.
Tensor image_grid(ConstTensorView images, const GridOptions& options = {});

/// Writes one image as PNG: (height, width) grey, or (height, width, 3) red, green, blue. 0 is dark and 1 is bright;
/// what is beyond is clamped. Throws ShapeError, ValueError for NaN, IoError if the file cannot be written.
void save_png(const Path& path, ConstTensorView image);

/// Writes images, a row an image, side by side: `save_png_grid("samples.png", batch.images, {.columns = 8})`. Throws
/// as image_grid and save_png do.
void save_png_grid(const Path& path, ConstTensorView images, const GridOptions& options = {});

}  // namespace tapegrad::inline TAPEGRAD_ABI::io

#ifndef TAPEGRAD_COMPILED
#include "bodies/png.hpp"
#endif
