#include "tapegrad/io/idx.hpp"

#include <sys/stat.h>

#include "catch.hpp"
#include "idx_files.hpp"
#include "said.hpp"

using namespace tapegrad;

TEST_CASE("IDX files of 1 to 4 axes are read, plain and compressed, whatever their name") {
  const TemporaryDirectory dir;
  for (const auto& lengths : std::vector<std::vector<std::uint64_t>>{{6}, {2, 3}, {1, 2, 3}, {3, 1, 2, 1}}) {
    const std::string file = idx(lengths, std::string("\0\1\2\3\xfe\xff", 6));
    for (const auto& path : {write_bytes(dir / "plain", file), write_bytes(dir / "a.gz", gzip(file)),
                             write_bytes(dir / "compressed", gzip(file)), write_bytes(dir / "b.gz", file)}) {
      const io::Idx read = io::read_idx(path);
      CHECK(read.shape == Shape(std::vector<Index>(lengths.begin(), lengths.end())));
      CHECK(read.bytes == std::vector<std::uint8_t>{0, 1, 2, 3, 254, 255});
    }
  }
}

TEST_CASE("an IDX file may be empty, of one byte, or larger than one piece") {
  const TemporaryDirectory dir;
  CHECK(io::read_idx(write_bytes(dir / "one", idx({1}, "x"))).bytes == std::vector<std::uint8_t>{'x'});
  CHECK(io::read_idx(write_bytes(dir / "empty", idx({0, 28, 28}, ""))).shape == Shape{0, 28, 28});
  std::string large(3'000'001, 'x');
  large[2'500'000] = 'y';
  const io::Idx read = io::read_idx(write_bytes(dir / "large", gzip(idx({large.size()}, large))));
  CHECK(std::equal(read.bytes.begin(), read.bytes.end(), large.begin(), large.end()));
}

TEST_CASE("every damaged IDX file gets its sentence") {
  const auto message = [](const std::string& bytes) { return said_of(bytes, io::read_idx); };
  const std::string good = idx({2, 3}, "abcdef"), compressed = gzip(good);

  CHECK(message("") == "has 0 bytes; an IDX file begins with 4 (0 0 8 and the number of axes)");
  CHECK(message("\x1f") == "has 1 bytes; an IDX file begins with 4 (0 0 8 and the number of axes)");
  CHECK(message("<html>") ==
        "begins with the bytes 60 104 116 109; an IDX file of bytes begins with 0 0 8 and 1 to 4, "
        "its number of axes");
  CHECK_THAT(message(std::string("\0\0\x0d\1", 4)), ContainsSubstring("begins with the bytes 0 0 13 1"));
  CHECK_THAT(message(std::string("\0\0\x08\0", 4)), ContainsSubstring("begins with the bytes 0 0 8 0"));
  CHECK_THAT(message(std::string("\0\0\x08\5", 4)), ContainsSubstring("begins with the bytes 0 0 8 5"));
  CHECK_THAT(message(good.substr(0, 11)), ContainsSubstring("is truncated: the header of 2 axes"));
  CHECK(message(good.substr(0, 15)) == "is truncated: 3 bytes of data, the header says 6 (2x3)");
  CHECK(message(good.substr(0, 12)) == "is truncated: 0 bytes of data, the header says 6 (2x3)");
  CHECK(message(good + "g") == "has bytes after the 6 that the header says (2x3); the header or the file is damaged");
  CHECK_THAT(message(gzip(good + "g")), ContainsSubstring("has bytes after the 6"));
  CHECK_THAT(message(idx({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, "abc")),
             ContainsSubstring("the header has an impossible shape") && ContainsSubstring("more elements than memory"));
  // A promise of 36 PB costs no memory.
  CHECK_THAT(message(idx({0x7fffffff, 0x00ffffff}, "abc")), ContainsSubstring("is truncated: 3 bytes of data"));

  for (std::size_t length = 2; length < compressed.size(); ++length) {
    INFO("the first " << length << " of " << compressed.size() << " compressed bytes");
    CHECK_THAT(message(compressed.substr(0, length)), ContainsSubstring("truncated") || ContainsSubstring("damaged"));
  }
  std::string corrupt = compressed;
  corrupt[corrupt.size() - 6] = static_cast<char>(corrupt[corrupt.size() - 6] ^ 1);  // the checksum
  CHECK(message(corrupt) == "the compressed data are damaged; get the file again");
}

TEST_CASE("a compressed file whose last bytes are missing is refused, and one of two compressed parts is read") {
  const TemporaryDirectory dir;
  const std::string numbers(1'000'000, 'n');  // zlib's gzread misses the end of some 300,000 and more
  const std::string file = idx({numbers.size()}, numbers), compressed = gzip(file);
  for (std::size_t missing = 1; missing <= 20; ++missing) {
    INFO(missing << " bytes are missing");
    CHECK_THROWS_WITH(io::read_idx(write_bytes(dir / "x", compressed.substr(0, compressed.size() - missing))),
                      ContainsSubstring("is truncated: the compressed data break off"));
  }
  const io::Idx read = io::read_idx(write_bytes(dir / "x", gzip(file.substr(0, 1000)) + gzip(file.substr(1000))));
  CHECK(std::equal(read.bytes.begin(), read.bytes.end(), numbers.begin(), numbers.end()));
}

TEST_CASE("what follows compressed data and is not compressed itself is ignored, as by gzip") {
  const TemporaryDirectory dir;
  const std::string compressed = gzip(idx({3}, "abc"));
  for (const std::string& rest :
       {std::string(1, '\0'), std::string(512, '\0'), std::string("\x1f"), std::string("text")})
    CHECK(io::read_idx(write_bytes(dir / "x", compressed + rest)).bytes == std::vector<std::uint8_t>{'a', 'b', 'c'});
  CHECK_THROWS_WITH(io::read_idx(write_bytes(dir / "x", compressed + "\x1f\x8b")), ContainsSubstring("is truncated"));
}

TEST_CASE("an IDX file that is not there, or is none") {
  const TemporaryDirectory dir;
  CHECK_THROWS_WITH(io::read_idx(dir / "none"),
                    (dir / "none").string() + ": cannot be opened: No such file or directory");
  CHECK_THROWS_WITH(io::read_idx(dir.path()), ContainsSubstring("is a directory or a device; a file is needed"));
  REQUIRE(::mkfifo((dir / "pipe").c_str(), 0600) == 0);  // which nobody writes
  CHECK_THROWS_WITH(io::read_idx(dir / "pipe"), ContainsSubstring("is a directory or a device; a file is needed"));
}
