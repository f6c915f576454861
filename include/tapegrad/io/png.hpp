#pragma once
// Pictures, as PNG files of 8 bits a channel. (The format is small enough to write here; zlib does the hard part.)

#include <zlib.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string_view>

#include "../core/tensor.hpp"
#include "file.hpp"

namespace tapegrad::inline TAPEGRAD_ABI::io {

/// How save_png_grid() reads its rows, and lays them out.
struct GridOptions {
  Index height = 28;      ///< of one image
  Index width = 28;       ///< of one image
  Index channels = 1;     ///< 1: grey; 3: red, green and blue for each pixel
  Index columns = 0;      ///< images side by side; 0: as many as make a square
  Index padding = 2;      ///< pixels between images and around them
  double background = 0;  ///< their level, 0 to 1
};

namespace detail {

inline void append_big_endian(std::vector<std::uint8_t>& out, std::size_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<std::uint8_t>(value >> shift));
}

/// A chunk of a PNG: length, type, data, checksum of type and data.
inline void append_chunk(std::vector<std::uint8_t>& png, std::string_view type, std::span<const std::uint8_t> data) {
  append_big_endian(png, data.size());
  const std::size_t start = png.size();
  png.insert(png.end(), type.begin(), type.end());
  png.insert(png.end(), data.begin(), data.end());
  append_big_endian(png, ::crc32_z(0, png.data() + start, png.size() - start));
}

inline std::vector<std::uint8_t> encode_png(const Path& path, ConstTensorView image) {
  const bool rgb = image.rank() == 3;
  require<ShapeError>(!image.empty() && (image.rank() == 2 || (rgb && image.shape()[2] == 3)), "save_png: image is ",
                      image.shape(), "; it must be height x width (grey) or height x width x 3 (colour)");
  const auto height = static_cast<std::size_t>(image.shape()[0]), width = static_cast<std::size_t>(image.shape()[1]);
  const std::size_t row = width * (rgb ? 3 : 1);

  std::vector<std::uint8_t> scanlines;
  scanlines.reserve(height * (row + 1));
  for (std::size_t y = 0; y < height; ++y) {
    scanlines.push_back(0);  // this row is not filtered
    for (const Scalar level : image.span().subspan(y * row, row)) {
      require<ValueError>(!std::isnan(level), "save_png: the image for ", path.string(), " holds NaN in row ", y,
                          "; levels are numbers in [0, 1]");
      scanlines.push_back(static_cast<std::uint8_t>(std::lround(255 * std::clamp<Scalar>(level, 0, 1))));
    }
  }
  uLongf size = ::compressBound(static_cast<uLong>(scanlines.size()));
  std::vector<std::uint8_t> compressed(size);
  const int code =
      ::compress2(compressed.data(), &size, scanlines.data(), static_cast<uLong>(scanlines.size()), Z_BEST_COMPRESSION);
  require_file(code == Z_OK && size <= std::numeric_limits<std::int32_t>::max(), path,
               "cannot be written: an image of ", image.shape(), " is too large for memory or for PNG");
  compressed.resize(size);

  std::vector<std::uint8_t> png{0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
  std::vector<std::uint8_t> header;
  append_big_endian(header, width);
  append_big_endian(header, height);
  // 8 bits; grey or RGB; the only compression, filter method and no interlacing.
  header.insert(header.end(), {8, static_cast<std::uint8_t>(rgb ? 2 : 0), 0, 0, 0});
  append_chunk(png, "IHDR", header);
  append_chunk(png, "IDAT", compressed);
  append_chunk(png, "IEND", {});
  return png;
}

}  // namespace detail

/// Images (count, height * width * channels), a row an image, side by side in one: (h, w) if grey, else (h, w, 3).
/// Throws ShapeError or ValueError where the options do not fit.
inline Tensor image_grid(ConstTensorView images, const GridOptions& options = {}) {
  using detail::require;
  const auto& [height, width, channels, wanted_columns, padding, background] = options;
  require<ValueError>(
      height > 0 && width > 0 && (channels == 1 || channels == 3) && wanted_columns >= 0 && padding >= 0,
      "image grid: images of ", height, "x", width, "x", channels, ", columns ", wanted_columns, ", padding ", padding,
      "; sizes are positive, channels 1 or 3, columns and padding not negative");
  const Index count = images.shape().rows();
  require<ShapeError>(count > 0 && images.shape().cols() == height * width * channels, "image grid: images are ",
                      images.shape(), "; it must be some rows of ", height, "x", width, "x", channels, " = ",
                      height * width * channels);
  const auto square = static_cast<Index>(std::ceil(std::sqrt(static_cast<double>(count))));
  const Index columns = std::min(count, wanted_columns > 0 ? wanted_columns : square);
  const Index rows = (count + columns - 1) / columns;
  const Index grid_height = padding + rows * (height + padding), grid_width = padding + columns * (width + padding);

  Tensor grid(channels == 1 ? Shape{grid_height, grid_width} : Shape{grid_height, grid_width, channels},
              static_cast<Scalar>(background));
  for (Index i = 0; i < count; ++i) {
    const Index top = padding + i / columns * (height + padding), left = padding + i % columns * (width + padding);
    for (Index y = 0; y < height; ++y)
      std::copy_n(images.data() + (i * height + y) * width * channels, width * channels,
                  grid.data() + ((top + y) * grid_width + left) * channels);
  }
  return grid;
}

/// Writes one image as PNG: (height, width) grey, or (height, width, 3) red, green, blue. 0 is dark and 1 is bright;
/// what is beyond is clamped. Throws ShapeError, ValueError for NaN, IoError if the file cannot be written.
inline void save_png(const Path& path, ConstTensorView image) {
  const std::vector<std::uint8_t> png = detail::encode_png(path, image);
  AtomicFile file(path);
  file.write(png.data(), png.size());
  file.commit();
}

/// Writes images, a row an image, side by side: `save_png_grid("samples.png", batch.images, {.columns = 8})`. Throws
/// as image_grid and save_png do.
inline void save_png_grid(const Path& path, ConstTensorView images, const GridOptions& options = {}) {
  save_png(path, image_grid(images, options));
}

}  // namespace tapegrad::inline TAPEGRAD_ABI::io
