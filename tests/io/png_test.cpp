#include "tapegrad/io/png.hpp"

#include "catch.hpp"
#include "temporary.hpp"

using namespace tapegrad;

namespace {

/// What a PNG's chunks hold, each checked for its length and checksum.
struct Png {
  std::string header;
  std::string scanlines;

  explicit Png(const std::filesystem::path& path) {
    const std::string file = read_bytes(path);
    REQUIRE(file.substr(0, 8) == "\x89PNG\r\n\x1a\n");
    std::string types;
    for (std::size_t at = 8; at < file.size();) {
      REQUIRE(file.size() >= at + 12);
      std::size_t length = 0;
      for (std::size_t i = 0; i < 4; ++i) length = length << 8 | static_cast<unsigned char>(file[at + i]);
      REQUIRE(file.size() >= at + 12 + length);
      const std::string type_and_data = file.substr(at + 4, length + 4);
      const uLong sum =
          crc32(0, reinterpret_cast<const Bytef*>(type_and_data.data()), static_cast<uInt>(type_and_data.size()));
      CHECK(file.substr(at + 8 + length, 4) == big_endian(sum));
      types += type_and_data.substr(0, 4);
      if (type_and_data.starts_with("IHDR")) header = type_and_data.substr(4);
      if (type_and_data.starts_with("IDAT")) scanlines = inflated(type_and_data.substr(4));
      at += length + 12;
    }
    CHECK(types == "IHDRIDATIEND");
  }

 private:
  static std::string inflated(const std::string& data) {
    std::string out(100000, '\0');
    uLongf size = out.size();
    REQUIRE(uncompress(reinterpret_cast<Bytef*>(out.data()), &size, reinterpret_cast<const Bytef*>(data.data()),
                       static_cast<uLong>(data.size())) == Z_OK);
    return out.substr(0, size);
  }
};

}  // namespace

TEST_CASE("a grey image becomes bytes, what is beyond [0, 1] is clamped") {
  const TemporaryDirectory dir;
  io::save_png(dir / "a.png", Tensor({2, 3}, {0, 1, Scalar(0.5), -3, Scalar(7), Scalar(0.2)}));
  const Png png(dir / "a.png");
  CHECK(png.header == big_endian(3) + big_endian(2) + std::string("\x08\0\0\0\0", 5));
  CHECK(png.scanlines == std::string("\0\x00\xff\x80\0\x00\xff\x33", 8));
  CHECK(dir.count() == 1);
}

TEST_CASE("a colour image has three bytes a pixel") {
  const TemporaryDirectory dir;
  io::save_png(dir / "a.png", Tensor({1, 2, 3}, {1, 0, 0, 0, 0, 1}));
  const Png png(dir / "a.png");
  CHECK(png.header == big_endian(2) + big_endian(1) + std::string("\x08\2\0\0\0", 5));
  CHECK(png.scanlines == std::string("\0\xff\0\0\0\0\xff", 7));
}

TEST_CASE("an image is refused with words where it is none") {
  const TemporaryDirectory dir;
  CHECK_THROWS_WITH(io::save_png(dir / "a.png", Tensor({4})),
                    "save_png: image is 4; it must be height x width (grey) or height x width x 3 (colour)");
  CHECK_THROWS_WITH(io::save_png(dir / "a.png", Tensor({4, 4, 2})), ContainsSubstring("image is 4x4x2"));
  CHECK_THROWS_AS(io::save_png(dir / "a.png", Tensor({0, 4})), ShapeError);
  CHECK_THROWS_AS(io::save_png(dir / "a.png", Tensor({1, 1}, {Scalar(NAN)})), ValueError);
  CHECK_THROWS_WITH(io::save_png(dir / "a.png", Tensor({1, 1}, {Scalar(NAN)})),
                    ContainsSubstring("holds NaN in row 0"));
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
  CHECK(Png(dir / "a.png").scanlines == std::string("\0\xff\0\0\0\0\xff", 7));
}

TEST_CASE("a grid is refused with words where it does not fit") {
  CHECK_THROWS_WITH(io::image_grid(Tensor({2, 700})),
                    "image grid: images are 2x700; it must be some rows of 28x28x1 = 784");
  CHECK_THROWS_AS(io::image_grid(Tensor({0, 784})), ShapeError);
  CHECK_THROWS_WITH(io::image_grid(Tensor({2, 784}), {.channels = 2}), ContainsSubstring("channels 1 or 3"));
  CHECK_THROWS_WITH(io::image_grid(Tensor({2, 784}), {.padding = -1}), ContainsSubstring("padding -1"));
}
