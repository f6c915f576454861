#include "tapegrad/io/npy.hpp"

#include <algorithm>

#include "catch.hpp"
#include "said.hpp"
#include "tapegrad/core/random.hpp"

using namespace tapegrad;

namespace {

/// As numpy.save writes it.
std::string npy(std::string header, const std::string& data) {
  header.resize(std::max<std::size_t>(117, header.size()), ' ');
  return "\x93NUMPY" + std::string("\1\0", 2) + little_endian(header.size() + 1, 2) + header + "\n" + data;
}

std::string message(const std::string& bytes) { return said_of(bytes, io::load_npy); }

}  // namespace

TEST_CASE("what is saved as .npy is loaded, to the bit") {
  const TemporaryDirectory dir;
  for (const Shape& shape : {Shape{}, Shape{5}, Shape{2, 3}, Shape{2, 1, 3, 2}, Shape{0, 4}}) {
    Tensor tensor(shape);
    Rng(3).normal(tensor);
    io::save_npy(dir / "x.npy", tensor);
    CHECK(same_bits(io::load_npy(dir / "x.npy"), tensor));
    CHECK(read_bytes(dir / "x.npy").size() % 64 == static_cast<std::size_t>(tensor.size()) * sizeof(Scalar) % 64);
  }
}

TEST_CASE("a file that NumPy wrote is loaded") {
  const TemporaryDirectory dir;
  const auto path = write_bytes(dir / "x.npy", npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }",
                                                   little_endian(0x3f800000, 4) + little_endian(0xc0000000, 4)));
  CHECK(same_bits(io::load_npy(path), Tensor({1, 2}, {1, -2})));
  write_bytes(path,
              npy("{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }", little_endian(0x3ff8000000000000, 8)));
  CHECK(same_bits(io::load_npy(path), Tensor({1}, {Scalar(1.5)})));
  const std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (), }\n";
  write_bytes(path, "\x93NUMPY" + std::string("\2\0", 2) + little_endian(header.size(), 4) + header +
                        little_endian(0x3f800000, 4));
  CHECK(io::load_npy(path).item() == 1);
}

TEST_CASE("every damaged or foreign .npy file gets its sentence") {
  const std::string good = npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", "abcdefgh");
  CHECK(message(good) == "no error");
  CHECK(message("PK") == "is no .npy file; they begin with \\x93NUMPY (an .npz is a zip archive of such files)");
  CHECK(message("\x93NUMPY" + std::string("\7\0\0\0", 4)) == "is of .npy version 7; 1 to 3 can be read");
  for (std::size_t length = 0; length < good.size(); ++length) {
    INFO("the first " << length << " of " << good.size() << " bytes");
    CHECK(message(good.substr(0, length)) != "no error");
  }
  CHECK(message(good.substr(0, 100)) == "is truncated: its header has 118 bytes, the whole file 100");
  CHECK(message(good.substr(0, 127)) == "is truncated: its header has 118 bytes, the whole file 127");
  CHECK(message(good + "x") == "has 9 bytes of data; shape 2 needs 8");
  const auto of_header = [](const std::string& header) { return message(npy(header, "abcdefgh")); };
  CHECK_THAT(of_header("{'descr': '<i8', 'fortran_order': False, 'shape': (1,), }"),
             ContainsSubstring("has dtype '<i8'; '<f4' and '<f8' can be read"));
  CHECK_THAT(of_header("{'descr': '>f4', 'fortran_order': False, 'shape': (2,), }"),
             ContainsSubstring("has dtype '>f4'"));
  CHECK_THAT(of_header("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 1), }"),
             ContainsSubstring("is not in C order; numpy.ascontiguousarray"));
  CHECK_THAT(of_header("{'descr': '<f4', 'fortran_order': False, }"), ContainsSubstring("without 'shape'"));
  CHECK_THAT(of_header("{'descr': '<f4', 'fortran_order': False, 'shape': (-2,), }"),
             ContainsSubstring("no list of whole numbers: (-2,)"));
  for (const std::string shape : {"(2)", "(2 1)", "(2,,1)", "(,2)", "(2,1 )", "(2 ,1)", "(2,1;)"})
    CHECK_THAT(of_header("{'descr': '<f4', 'fortran_order': False, 'shape': " + shape + ", }"),
               ContainsSubstring("no list of whole numbers: " + shape));
  // Of a long one, the first hundred characters.
  CHECK(of_header("{'descr': '<f4', 'fortran_order': False, 'shape': (" + std::string(200, '-') + "), }") ==
        "has a shape that is no list of whole numbers: (" + std::string(99, '-'));
  CHECK(of_header("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 1,), }") == "no error");
  CHECK_THAT(of_header("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,), }"),
             ContainsSubstring("no list of whole numbers"));
  CHECK_THAT(of_header("{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296), }"),
             ContainsSubstring("impossible shape"));
  CHECK_THAT(of_header("{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,2), }"),
             ContainsSubstring("impossible shape: shape: 7 axes"));
  CHECK_THAT(of_header("{'descr':\n'<f4', }"), ContainsSubstring("has a header that is no line of text"));
  CHECK_THAT(of_header(""), ContainsSubstring("has dtype ;"));
  if (sizeof(Scalar) == sizeof(float))
    CHECK_THAT(
        message(npy("{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }", little_endian(0x7e37e43c8800759c, 8))),
        ContainsSubstring("has a number that is too large for a float"));
}
