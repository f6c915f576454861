#pragma once

#include <algorithm>
#include <tapegrad/core/random.hpp>
#include <tapegrad/data/dataset.hpp>

namespace bench {

namespace tg = tapegrad;

/// 28 x 28 images that cost what MNIST costs: each is the track of a pen that walks at random from the centre, so about
/// a ninth of the pixels is lit, those near the edge seldom and those at the edge never. (What is seldom lit has
/// gradients of exactly zero for thousands of steps: Adam's moments decay into subnormals.)
inline tg::data::ImageDataset walks(tg::Index count, tg::Rng rng) {
  constexpr int side = 28, moves = 60;
  std::vector<std::uint8_t> pixels(static_cast<std::size_t>(count * side * side));
  for (tg::Index image = 0; image < count; ++image) {
    std::uint8_t* const pixel = pixels.data() + image * side * side;
    int row = side / 2, col = side / 2;
    for (int move = 0; move < moves; ++move) {
      const std::uint64_t bits = rng.bits();
      row = std::clamp(row + static_cast<int>(bits % 3) - 1, 2, side - 3);
      col = std::clamp(col + static_cast<int>(bits / 3 % 3) - 1, 2, side - 3);
      const auto ink = static_cast<std::uint8_t>(128 + (bits >> 57));
      for (int i = row - 1; i <= row + 1; ++i) std::fill_n(pixel + i * side + col - 1, 3, ink);
    }
  }
  return {pixels, count, side, side};
}

}  // namespace bench
