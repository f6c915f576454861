#include "tapegrad/io/safetensors.hpp"

#include <cmath>

#include "catch.hpp"
#include "said.hpp"
#include "sanitizers.hpp"
#include "tapegrad/core/random.hpp"

using namespace tapegrad;

namespace {

std::string file_of(const std::string& header, const std::string& data) {
  return little_endian(header.size(), 8) + header + data;
}

std::string message(const std::string& bytes) { return said_of(bytes, io::read_safetensors); }

std::string f32(const std::string& shape, const std::string& offsets) {
  return R"({"dtype":"F32","shape":)" + shape + R"(,"data_offsets":)" + offsets + "}";
}

}  // namespace

TEST_CASE("a file has exactly these bytes") {
  const TemporaryDirectory dir;
  const Tensor b({2}, {1, -2}), a({1, 1}, {Scalar(0.5)});
  io::write_safetensors(dir / "x", {{"b", b}, {"a", a}}, {{"made", "by hands"}});
  const std::string expected =
      sizeof(Scalar) == 4
          ? file_of(R"({"__metadata__":{"made":"by hands"},"a":{"data_offsets":[0,4],"dtype":"F32","shape":[1,1]},)"
                    R"("b":{"data_offsets":[4,12],"dtype":"F32","shape":[2]}})"
                    "       ",
                    little_endian(0x3f000000, 4) + little_endian(0x3f800000, 4) + little_endian(0xc0000000, 4))
          : file_of(R"({"__metadata__":{"made":"by hands"},"a":{"data_offsets":[0,8],"dtype":"F64","shape":[1,1]},)"
                    R"("b":{"data_offsets":[8,24],"dtype":"F64","shape":[2]}})"
                    "       ",
                    little_endian(0x3fe0000000000000, 8) + little_endian(0x3ff0000000000000, 8) +
                        little_endian(0xc000000000000000, 8));
  CHECK(read_bytes(dir / "x") == expected);
}

TEST_CASE("what is written is read, to the bit") {
  const TemporaryDirectory dir;
  Tensor random({7, 5});
  Rng(3).normal(random);
  const Tensor scalar(Shape{}, Scalar(-0.0)), empty({0, 3}),
      special({3}, {Scalar(NAN), Scalar(INFINITY), Scalar(1e-42)});
  const std::map<std::string, ConstTensorView> tensors{
      {"random", random}, {"a \"quoted\" name, ü", scalar}, {"empty", empty}, {"special", special}};
  io::write_safetensors(dir / "x", tensors);
  const io::Safetensors read = io::read_safetensors(dir / "x");
  CHECK(read.metadata.empty());
  REQUIRE(read.tensors.size() == 4);
  for (const auto& [name, tensor] : tensors) {
    INFO(name);
    CHECK(same_bits(read.tensors.at(name), tensor));
  }
  CHECK(same_bits(read.tensor("random"), random));
  CHECK_THROWS_WITH(read.tensor("bias"),
                    ContainsSubstring("safetensors: there is no tensor \"bias\"; there are \"a ") &&
                        ContainsSubstring("\"empty\", \"random\", \"special\""));
  CHECK_THROWS_WITH(io::Safetensors().tensor("x"), "safetensors: there is no tensor \"x\"; there are none");
  io::write_safetensors(dir / "none", {}, {{"only", "texts"}});
  CHECK(io::read_safetensors(dir / "none").metadata.at("only") == "texts");
}

TEST_CASE("data begin at a multiple of 8 bytes, however long names are") {
  const TemporaryDirectory dir;
  const Tensor x({2});
  for (std::size_t length = 1; length <= 16; ++length) {
    io::write_safetensors(dir / "x", {{std::string(length, 'n'), x}}, {});
    const std::size_t before = read_bytes(dir / "x").size() - 2 * sizeof(Scalar);
    CHECK(before % 8 == 0);
    CHECK(before < 8 + 64 + length + 8);
  }
}

TEST_CASE("F32 and F64 become the build's scalar, in any order, and data need no alignment") {
  const TemporaryDirectory dir;
  const std::string header = R"({"z": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]},)"
                             R"( "a": {"shape": [2], "data_offsets": [4, 20], "dtype": "F64"}} )";
  const auto path =
      write_bytes(dir / "x", file_of(header, little_endian(0x40400000, 4) + little_endian(0x3ff0000000000000, 8) +
                                                 little_endian(0xbff8000000000000, 8)));
  const io::Safetensors read = io::read_safetensors(path);
  CHECK(read.tensors.at("z")[0] == 3);
  CHECK(same_bits(read.tensors.at("a"), Tensor({2}, {1, Scalar(-1.5)})));
}

TEST_CASE("numbers of two bytes become the build's scalar: 1, -1.5, the least, the largest, infinity and NaN") {
  const TemporaryDirectory dir;
  const auto check = [&](const std::string& dtype, std::initializer_list<std::uint64_t> numbers, const Tensor& values) {
    std::string data;
    for (const std::uint64_t number : numbers) data += little_endian(number, 2);
    const std::string header = R"({"w":{"dtype":")" + dtype + R"(","shape":[6],"data_offsets":[0,12]}})";
    const Tensor read = io::read_safetensors(write_bytes(dir / "x", file_of(header, data))).tensor("w");
    CHECK(same_bits(ConstTensorView(read.data(), {5}), values));
    CHECK(std::isnan(read[5]));
  };
  const auto power = [](int exponent) { return std::ldexp(Scalar(1), exponent); };
  check("F16", {0x3c00, 0xbe00, 0x0001, 0x7bff, 0x7c00, 0x7e00}, {{5}, {1, Scalar(-1.5), power(-24), 65504, INFINITY}});
  check("BF16", {0x3f80, 0xbfc0, 0x0001, 0x7f7f, 0x7f80, 0x7fc0},
        {{5}, {1, Scalar(-1.5), power(-133), 255 * power(120), INFINITY}});
}

TEST_CASE("whole numbers become the build's scalar, if it has them") {
  const TemporaryDirectory dir;
  const auto file = [](const std::string& dtype, std::uint64_t number, int bytes) {
    return file_of(R"({"n":{"dtype":")" + dtype + R"(","shape":[],"data_offsets":[0,)" + std::to_string(bytes) + "]}}",
                   little_endian(number, bytes));
  };
  const auto read = [&](const std::string& dtype, std::uint64_t number, int bytes) {
    return io::read_safetensors(write_bytes(dir / "x", file(dtype, number, bytes))).tensor("n")[0];
  };
  const std::uint64_t minus_two = ~std::uint64_t{1};
  for (const auto& [width, bytes] : {std::pair{"8", 1}, std::pair{"16", 2}, std::pair{"32", 4}, std::pair{"64", 8}}) {
    CHECK(read(std::string("I") + width, minus_two, bytes) == -2);
    CHECK(read(std::string("U") + width, 200, bytes) == 200);
  }
  CHECK(read("BOOL", 1, 1) == 1);
  CHECK_THAT(message(file("U64", ~std::uint64_t{0}, 8)),
             ContainsSubstring("tensor \"n\" has a number that is too large"));
  CHECK_THAT(message(file("I64", 0x7fffffffffffffff, 8)), ContainsSubstring("or a whole one that a float rounds"));
}

TEST_CASE("every other type is refused by its name") {
  CHECK(message(file_of(R"({"w":{"dtype":"F8_E4M3","shape":[2],"data_offsets":[0,2]}})", "ab")) ==
        R"(tensor "w" has dtype "F8_E4M3"; floats of 2 to 8 bytes, whole numbers and "BOOL" can be read)");
}

TEST_CASE("a file that is cut short anywhere is refused") {
  const std::string good = file_of(R"({"w":)" + f32("[2]", "[0,8]") + "}", "abcdefgh");
  CHECK(message(good) == "no error");
  for (std::size_t length = 0; length < good.size(); ++length) {
    INFO("the first " << length << " of " << good.size() << " bytes");
    CHECK_THAT(message(good.substr(0, length)), ContainsSubstring("truncated") || ContainsSubstring("begins with 8"));
  }
  CHECK(message(good + "x") == "has 1 bytes after the last tensor; it is damaged");
}

TEST_CASE("headers that are none") {
  CHECK(message("") == "has 0 bytes; a safetensors file begins with 8, its header's length");
  CHECK(message(std::string(8, '\xff') + "{}") ==
        "says that its header has 18446744073709551615 bytes; 2 follow: it is truncated or no safetensors file");
  CHECK(message("PK\3\4" + std::string(100, ' ')) ==
        "is a zip archive, as PyTorch's torch.save and NumPy's savez write; save its tensors with "
        "safetensors.torch.save_file");
  CHECK(message("\x93NUMPY\1" + std::string(100, ' ')) == "is a NumPy array; load_npy reads it");
  CHECK(message("\x1f\x8b\x8" + std::string(100, ' ')) == "is compressed by gzip; gunzip it first");
  CHECK(message(file_of("", "")) ==
        "has a header that is not JSON (at byte 1 of 0): it is damaged or no safetensors file");
  CHECK_THAT(message(file_of("{\"w\"", "")), ContainsSubstring("is not JSON"));
  CHECK_THAT(message(file_of("{} x", "")), ContainsSubstring("is not JSON (at byte 4 of 4)"));
  CHECK_THAT(message(file_of("{\"\xff\":1}", "")), ContainsSubstring("is not JSON"));
  CHECK(message(file_of("[]", "")) == "has a header that is a JSON array; it must be an object");
  CHECK(message(file_of("1", "")) == "has a header that is a JSON number; it must be an object");
  CHECK_THAT(message(file_of(R"({"w":)" + std::string(100000, '['), "")),
             ContainsSubstring("\"w\" is not described by"));
  CHECK_THAT(message(file_of(std::string(100000, '['), "")), ContainsSubstring("is a JSON array"));
  for (const char* header : {" {}", "\n{}", "\xef\xbb\xbf{}", "{}\n", "{}\t "})
    CHECK(message(file_of(header, "")) ==
          "has a header that does not begin with { and end with } and blanks; it is damaged");
  for (const std::string& zero : {std::string("{}\0", 3), std::string("{}\0}", 4)})
    CHECK_THAT(message(file_of(zero, "")), ContainsSubstring("; it is damaged"));
}

TEST_CASE("entries that are none") {
  const auto of_entry = [](const std::string& entry, const std::string& data = "") {
    return message(file_of("{\"w\":" + entry + "}", data));
  };
  const std::string rule =
      R"(tensor "w" is not described by dtype (a string), shape (an array) and data_offsets (an array), and no more)";
  CHECK(of_entry("1") == rule);
  CHECK(of_entry("{}") == rule);
  CHECK(of_entry(R"({"dtype":"F32","shape":[],"offsets":[0,4]})", "abcd") == rule);
  CHECK(of_entry(R"({"dtype":32,"shape":[],"data_offsets":[0,4]})", "abcd") == rule);
  CHECK(of_entry(R"({"dtype":"F32","shape":4,"data_offsets":[0,4]})", "abcd") == rule);
  CHECK(of_entry(R"({"dtype":"F32","shape":[],"data_offsets":[0,4],"more":1})", "abcd") == rule);
  CHECK(of_entry(R"({"dtype":"F32","shape":[],"data_offsets":[0,4],"more":[]})", "abcd") == rule);
  CHECK(of_entry(R"({"dtype":"F32","shape":{},"data_offsets":[0,4]})", "abcd") == rule);
  CHECK(of_entry(R"({"dtype":["F32"],"shape":[],"data_offsets":[0,4]})", "abcd") == rule);
  CHECK(of_entry(R"({"dtype":"F32","shape":null,"data_offsets":[0,4]})", "abcd") == rule);
  CHECK(of_entry("[]") == rule);
  CHECK(of_entry("null") == rule);
  CHECK(of_entry(f32("[1]", "[0]"), "abcd") == R"(tensor "w" has data_offsets that are not two whole numbers)");
  CHECK(of_entry(f32("[1]", "[0,-4]"), "abcd") == R"(tensor "w" has data_offsets that are not two whole numbers)");
  CHECK_THAT(of_entry(f32("[1]", "[0,4.0]"), "abcd"), ContainsSubstring("not two whole numbers"));
  CHECK(of_entry(f32("[1]", "[0,1e400]"), "abcd") == "has a header with a number that is too large");
  CHECK_THAT(of_entry(f32("[1]", "[0,[4]]"), "abcd"), ContainsSubstring("not two whole numbers"));
  CHECK_THAT(of_entry(f32("[1]", "[0,4,8]"), "abcd"), ContainsSubstring("not two whole numbers"));
  CHECK_THAT(of_entry(f32("[-1]", "[0,4]"), "abcd"), ContainsSubstring(R"(tensor "w" has an axis of length "-1")"));
  CHECK_THAT(of_entry(f32("[true]", "[0,4]"), "abcd"), ContainsSubstring(R"(has an axis of length "true")"));
  CHECK_THAT(of_entry(f32("[{}]", "[0,4]"), "abcd"), ContainsSubstring(R"(has an axis of length "{")"));
  CHECK_THAT(of_entry(f32("[1.0]", "[0,4]"), "abcd"), ContainsSubstring("lengths are whole numbers"));
  CHECK_THAT(of_entry(f32("[9223372036854775808]", "[0,4]"), "abcd"),
             ContainsSubstring("has an axis of length 9223372036854775808"));
  CHECK_THAT(of_entry(f32("[1,1,1,1,1,1,1]", "[0,4]"), "abcd"), ContainsSubstring("has 7 axes; at most 6"));
  CHECK_THAT(of_entry(f32("[4294967296,4294967296,4]", "[0,4]"), "abcd"), ContainsSubstring("has an impossible shape"));
  CHECK_THAT(of_entry(f32("[1099511627776]", "[0,4]"), "abcd"),
             ContainsSubstring("has 4 bytes; shape 1099511627776 of F32 needs 4398046511104"));
  CHECK(of_entry(f32("[2]", "[0,4]"), "abcd") == R"(tensor "w" has 4 bytes; shape 2 of F32 needs 8)");
  CHECK_THAT(of_entry(f32("[1]", "[4,0]"), "abcd"), ContainsSubstring("has data_offsets 4 to 0"));
  CHECK(of_entry(f32("[2]", "[0,8]"), "abcd") ==
        R"(tensor "w" has data_offsets 0 to 8; the file has 4 bytes of data: it is truncated or damaged)");
  CHECK_THAT(of_entry(f32("[1]", "[18446744073709551612,18446744073709551615]"), "abcd"),
             ContainsSubstring("truncated or damaged"));
}

TEST_CASE("tensors that overlap, leave gaps, or share a name") {
  const auto two = [](const std::string& a, const std::string& b) {
    return message(file_of(R"({"a":)" + a + R"(,"b":)" + b + "}", "abcdefgh"));
  };
  CHECK(two(f32("[1]", "[0,4]"), f32("[1]", "[4,8]")) == "no error");
  CHECK(two(f32("[1]", "[0,4]"), f32("[1]", "[3,7]")) == R"(tensor "b" begins at byte 3 of the data, within another)");
  CHECK(two(f32("[1]", "[4,8]"), f32("[2]", "[0,8]")) == R"(tensor "a" begins at byte 4 of the data, within another)");
  CHECK(two(f32("[1]", "[4,8]"), f32("[0]", "[0,0]")) == "has bytes 0 to 4 of its data in no tensor; it is damaged");
  CHECK(two(f32("[1]", "[0,4]"), f32("[0]", "[4,4]")) == "has 4 bytes after the last tensor; it is damaged");
  CHECK(message(file_of(R"({"a":)" + f32("[1]", "[0,4]") + R"(,"a":)" + f32("[1]", "[4,8]") + "}", "abcdefgh")) ==
        R"(has "a" twice in its header; names must differ)");
  CHECK_THAT(message(file_of(R"({"a":{"dtype":"F32","dtype":"F64"}})", "")), ContainsSubstring(R"(has "dtype" twice)"));
}

TEST_CASE("what is said of tensors is checked before they take memory") {
  // 20,000 tensors of 8 MB each, all of the same bytes: 160 GB.
  const std::string data(8'000'000, 'x');
  std::string header;
  for (int i = 0; i < 20000; ++i)
    header += (i == 0 ? "{\"" : ",\"") + std::to_string(i) + "\":" + f32("[2000000]", "[0,8000000]");
  CHECK_THAT(message(file_of(header + "}", data)), ContainsSubstring("begins at byte 0 of the data, within another"));
}

TEST_CASE("a double that is infinite as a float is refused, an infinite one is taken") {
  const std::string header = R"({"w":{"dtype":"F64","shape":[1],"data_offsets":[0,8]}})";
  const std::string large = little_endian(0x7e37e43c8800759c, 8), infinite = little_endian(0x7ff0000000000000, 8);
  CHECK(message(file_of(header, infinite)) == "no error");
  CHECK_THAT(message(file_of(header, large)), sizeof(Scalar) == sizeof(double)
                                                  ? ContainsSubstring("no error")
                                                  : ContainsSubstring("tensor \"w\" has a number that is too large"));
}

TEST_CASE("many tensors take no longer each than few") {  // else this takes a quarter of an hour
  const TemporaryDirectory dir;
  const Tensor empty({0});
  std::map<std::string, ConstTensorView> tensors;
  for (int i = 0; i < 300000 / trial_stride; ++i) tensors.emplace(std::to_string(i), empty);
  io::write_safetensors(dir / "x", tensors);
  CHECK(io::read_safetensors(dir / "x").tensors.size() == tensors.size());
}

TEST_CASE("metadata are texts") {
  CHECK(message(file_of(R"({"__metadata__":3})", "")) ==
        "has __metadata__ that is a JSON number; it must be an object");
  CHECK(message(file_of(R"({"__metadata__":{"a":3}})", "")) ==
        R"(has __metadata__ with "a" that is a JSON number; all of it must be strings)");
  CHECK(message(file_of(R"({"__metadata__":{"a":[]}})", "")) ==
        R"(has __metadata__ with "a" that is a JSON array; all of it must be strings)");
}

TEST_CASE("a hostile name stays on one line, and short") {
  const std::string name = R"(a\n\u0000\u001b)" + std::string(100000, 'x');
  const std::string text = message(file_of("{\"" + name + "\":1}", ""));
  CHECK(text.size() < 500);
  CHECK_THAT(text, ContainsSubstring(R"(tensor "a\n\u0000\u001bxxx)"));
}

TEST_CASE("what cannot be written is refused, and the old file stays") {
  const TemporaryDirectory dir;
  const Tensor a({1});
  const auto path = write_bytes(dir / "x", "old");
  CHECK_THROWS_WITH(io::write_safetensors(path, {{"__metadata__", a}}), ContainsSubstring("is called __metadata__"));
  CHECK_THROWS_WITH(io::write_safetensors(path, {{"\xff", a}}), ContainsSubstring("\"\\ufffd\" is not UTF-8"));
  CHECK_THROWS_WITH(io::write_safetensors(path, {}, {{"a", "\xff"}}), ContainsSubstring("is not UTF-8"));
  CHECK_THROWS_AS(io::write_safetensors(dir / "none/x", {{"a", a}}), IoError);
  CHECK(read_bytes(path) == "old");
  CHECK(dir.count() == 1);
}
