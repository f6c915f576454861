#include "tapegrad/io/png.hpp"

#include <png.h>

#include "catch.hpp"
#include "temporary.hpp"

using namespace tapegrad;

namespace {

/// A PNG as libpng reads it.
struct Png {
  png_image image{};
  std::vector<int> levels;

  explicit Png(const std::filesystem::path& path) {
    image.version = PNG_IMAGE_VERSION;
    REQUIRE(png_image_begin_read_from_file(&image, path.c_str()));
    std::vector<png_byte> bytes(PNG_IMAGE_SIZE(image));
    REQUIRE(png_image_finish_read(&image, nullptr, bytes.data(), 0, nullptr));
    levels.assign(bytes.begin(), bytes.end());
  }
};

}  // namespace

TEST_CASE("a grey image becomes bytes, what is beyond [0, 1] is clamped") {
  const TemporaryDirectory dir;
  io::save_png(dir / "a.png", Tensor({2, 3}, {0, 1, Scalar(0.5), -3, Scalar(7), Scalar(0.2)}));
  const Png png(dir / "a.png");
  CHECK(png.image.format == PNG_FORMAT_GRAY);
  CHECK((png.image.width == 3 && png.image.height == 2));
  CHECK(png.levels == std::vector{0, 255, 128, 0, 255, 51});
  CHECK(dir.count() == 1);
}

TEST_CASE("a colour image has three bytes a pixel") {
  const TemporaryDirectory dir;
  io::save_png(dir / "a.png", Tensor({1, 2, 3}, {1, 0, 0, 0, 0, 1}));
  const Png png(dir / "a.png");
  CHECK(png.image.format == PNG_FORMAT_RGB);
  CHECK((png.image.width == 2 && png.image.height == 1));
  CHECK(png.levels == std::vector{255, 0, 0, 0, 0, 255});
}

TEST_CASE("an image is refused with words where it is none") {
  const TemporaryDirectory dir;
  CHECK_THROWS_WITH(io::save_png(dir / "a.png", Tensor({4})),
                    "save_png: image is 4; it must be height x width (grey) or height x width x 3 (colour)");
  CHECK_THROWS_WITH(io::save_png(dir / "a.png", Tensor({4, 4, 2})), ContainsSubstring("image is 4x4x2"));
  CHECK_THROWS_AS(io::save_png(dir / "a.png", Tensor({0, 4})), ShapeError);
  CHECK_THROWS_AS(io::save_png(dir / "a.png", Tensor({1, 1}, {Scalar(NAN)})), ValueError);
  CHECK_THROWS_WITH(io::save_png(dir / "a.png", Tensor({1, 1}, {Scalar(NAN)})),
                    ContainsSubstring("holds NaN at [0, 0]"));
  CHECK_THROWS_WITH(io::save_png(dir / "a.png", ConstTensorView(nullptr, {1, (Index{1} << 30) + 1})),
                    "save_png: image is 1x1073741825; at most 1073741824 levels are supported");
  CHECK_THROWS_WITH(io::save_png(dir / "a.png", Tensor({1, 1000001})),
                    ContainsSubstring("a.png: cannot be written: libpng says: Invalid IHDR data"));
  CHECK_THROWS_AS(io::save_png(dir / "none/a.png", Tensor({1, 1})), IoError);
  CHECK(dir.count() == 0);
}

TEST_CASE("a grid puts images side by side, with padding around") {
  const Tensor images({3, 2}, {1, 2, 3, 4, 5, 6});
  const Tensor two = io::image_grid(images, {.height = 1, .width = 2, .columns = 2, .padding = 1, .background = 9});
  CHECK(same_bits(two, Tensor({5, 7}, {9, 9, 9, 9, 9, 9, 9,  //
                                       9, 1, 2, 9, 3, 4, 9,  //
                                       9, 9, 9, 9, 9, 9, 9,  //
                                       9, 5, 6, 9, 9, 9, 9,  //
                                       9, 9, 9, 9, 9, 9, 9})));
  // No more columns than images; without padding; as tall images.
  CHECK(same_bits(io::image_grid(images, {.height = 1, .width = 2, .columns = 8, .padding = 0}),
                  Tensor({1, 6}, {1, 2, 3, 4, 5, 6})));
  CHECK(same_bits(io::image_grid(images, {.height = 2, .width = 1, .columns = 3, .padding = 0}),
                  Tensor({2, 3}, {1, 3, 5, 2, 4, 6})));
  CHECK(io::image_grid(Tensor({64, 784})).shape() == Shape{242, 242});
  CHECK(io::image_grid(Tensor({5, 784}), {.padding = 0}).shape() == Shape{56, 84});
}

TEST_CASE("a grid of colour images, on a file") {
  const TemporaryDirectory dir;
  io::save_png_grid(dir / "a.png", Tensor({2, 3}, {1, 0, 0, 0, 0, 1}),
                    {.height = 1, .width = 1, .channels = 3, .padding = 0});
  CHECK(Png(dir / "a.png").levels == std::vector{255, 0, 0, 0, 0, 255});
}

TEST_CASE("a grid is refused with words where it does not fit") {
  CHECK_THROWS_WITH(io::image_grid(Tensor({2, 700})),
                    "image_grid: images are 2x700; they must be rows of 28x28x1 = 784");
  CHECK_THROWS_AS(io::image_grid(Tensor({0, 784})), ShapeError);
  CHECK_THROWS_WITH(io::image_grid(Tensor({2, 784}), {.channels = 2}), ContainsSubstring("channels 1 or 3"));
  CHECK_THROWS_WITH(io::image_grid(Tensor({2, 785})), ContainsSubstring("images are 2x785"));
  CHECK_THROWS_WITH(io::image_grid(Tensor({2, 784}), {.padding = -1}), ContainsSubstring("padding -1"));
  constexpr Index large = Index{1} << 62;
  CHECK_THROWS_WITH(io::image_grid(Tensor({2, 784}), {.padding = large}), ContainsSubstring("none is above 1048576"));
  CHECK_THROWS_WITH(io::image_grid(Tensor({2, 784}), {.height = large, .width = large}),
                    ContainsSubstring("none is above 1048576"));
}
