#pragma once

#include <png.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "../png.hpp"
#include "file.hpp"

namespace tapegrad::inline TAPEGRAD_ABI::io {

namespace detail {

inline std::vector<png_byte> encode_png(const Path& path, ConstTensorView image) {
  const bool rgb = image.rank() == 3;
  require<ShapeError>(!image.empty() && (image.rank() == 2 || (rgb && image.shape()[2] == 3)), "save_png: image is ",
                      image.shape(), "; it must be height x width (grey) or height x width x 3 (colour)");
  constexpr Index most = Index{1} << 30;  // libpng counts in 32 bits
  require<ShapeError>(image.size() <= most, "save_png: image is ", image.shape(), "; at most ", most,
                      " levels are supported");
  std::vector<png_byte> levels;
  levels.reserve(static_cast<std::size_t>(image.size()));
  for (const Scalar level : image.span()) {
    require<ValueError>(!std::isnan(level), "save_png: the image for ", path.string(), " holds NaN at ",
                        tapegrad::detail::position(image.shape(), static_cast<Index>(levels.size())),
                        "; levels are numbers in [0, 1]");
    levels.push_back(static_cast<png_byte>(std::lround(255 * std::clamp<Scalar>(level, 0, 1))));
  }

  png_image header{};
  header.version = PNG_IMAGE_VERSION;
  header.width = static_cast<png_uint_32>(image.shape()[1]);
  header.height = static_cast<png_uint_32>(image.shape()[0]);
  header.format = rgb ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY;
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(header);
  std::vector<png_byte> png(size);
  const int done = png_image_write_to_memory(&header, png.data(), &size, 0, levels.data(), 0, nullptr);
  require_file(done != 0, path, "cannot be written: libpng says: ", header.message);
  png.resize(size);
  return png;
}

}  // namespace detail

TAPEGRAD_BODY Tensor image_grid(ConstTensorView images, const GridOptions& options) {
  using detail::require;
  const auto& [height, width, channels, wanted_columns, padding, background] = options;
  constexpr Index most = Index{1} << 20;
  const auto within = [](Index number, Index least) { return number >= least && number <= most; };
  require<ValueError>(within(height, 1) && within(width, 1) && (channels == 1 || channels == 3) &&
                          within(wanted_columns, 0) && within(padding, 0),
                      "image_grid: images of ", height, "x", width, "x", channels, ", columns ", wanted_columns,
                      ", padding ", padding,
                      "; sizes are positive, channels 1 or 3, columns and padding not negative, "
                      "and none is above ",
                      most);
  const Index count = images.shape().rows();
  require<ShapeError>(count > 0 && images.shape().cols() == height * width * channels, "image_grid: images are ",
                      images.shape(), "; they must be rows of ", height, "x", width, "x", channels, " = ",
                      height * width * channels);
  const auto square = static_cast<Index>(std::ceil(std::sqrt(static_cast<double>(count))));
  const Index columns = std::min(count, wanted_columns > 0 ? wanted_columns : square);
  const Index rows = (count + columns - 1) / columns;
  const Index grid_height = padding + rows * (height + padding), grid_width = padding + columns * (width + padding);

  Tensor grid(channels == 1 ? Shape{grid_height, grid_width} : Shape{grid_height, grid_width, channels}, background);
  for (Index i = 0; i < count; ++i) {
    const Index top = padding + i / columns * (height + padding), left = padding + i % columns * (width + padding);
    for (Index y = 0; y < height; ++y)
      std::copy_n(images.data() + (i * height + y) * width * channels, width * channels,
                  grid.data() + ((top + y) * grid_width + left) * channels);
  }
  return grid;
}

TAPEGRAD_BODY void save_png(const Path& path, ConstTensorView image) {
  const std::vector<png_byte> png = detail::encode_png(path, image);
  AtomicFile file(path);
  file.write(png.data(), png.size());
  file.commit();
}

TAPEGRAD_BODY void save_png_grid(const Path& path, ConstTensorView images, const GridOptions& options) {
  save_png(path, image_grid(images, options));
}

}  // namespace tapegrad::inline TAPEGRAD_ABI::io
