#include "tapegrad/io/mnist.hpp"

#include "catch.hpp"
#include "idx_files.hpp"
#include "said.hpp"

using namespace tapegrad;

namespace {

/// A directory with four small files: two training images of 2x2, one test image.
struct Files {
  TemporaryDirectory dir;
  Files() {
    write_bytes(dir / "train-images-idx3-ubyte", idx({2, 2, 2}, std::string("\0\1\2\3\4\5\6\xff", 8)));
    write_bytes(dir / "train-labels-idx1-ubyte", idx({2}, "\7\x09"));
    write_bytes(dir / "t10k-images-idx3-ubyte", idx({1, 2, 2}, "abcd"));
    write_bytes(dir / "t10k-labels-idx1-ubyte", idx({1}, "\1"));
  }
};

}  // namespace

TEST_CASE("mnist() reads four files") {
  const Files files;
  const io::Mnist mnist = io::mnist(files.dir.path());
  CHECK(mnist.train.size() == 2);
  CHECK(mnist.test.size() == 1);
  CHECK(mnist.train.rows() == 2);
  CHECK(mnist.train.pixels()[7] == 255);
  CHECK(mnist.train.labels()[1] == 9);
  CHECK(mnist.test.labels()[0] == 1);
}

TEST_CASE("mnist() finds each file in any of its spellings") {
  for (const std::string name :
       {"train-images.idx3-ubyte", "train-images-idx3-ubyte.gz", "train-images.idx3-ubyte.gz"}) {
    const Files files;
    const auto usual = files.dir / "train-images-idx3-ubyte";
    const std::string bytes = read_bytes(usual);
    std::filesystem::remove(usual);
    write_bytes(files.dir / name, name.ends_with(".gz") ? gzip(bytes) : bytes);
    CHECK(io::mnist(files.dir.path()).train.size() == 2);
    std::filesystem::create_directory(usual);  // as in some archives, beside the file
    CHECK(io::mnist(files.dir.path()).train.size() == 2);
  }
}

TEST_CASE("mnist() says which file is missing and where to get it") {
  const Files files;
  std::filesystem::remove(files.dir / "t10k-labels-idx1-ubyte");
  CHECK_THROWS_AS(io::mnist(files.dir.path()), IoError);
  CHECK_THROWS_WITH(io::mnist(files.dir.path()),
                    (files.dir / "t10k-labels-idx1-ubyte").string() +
                        ": is not there, nor as .gz, nor as t10k-labels.idx1-ubyte; fetch MNIST with tapegrad's "
                        "tools/fetch-mnist DIR, or put its four files there from "
                        "https://ossci-datasets.s3.amazonaws.com/mnist");
  CHECK_THROWS_WITH(io::fashion_mnist(files.dir / "none"), ContainsSubstring("apt-get install dataset-fashion-mnist"));
}

TEST_CASE("mnist() refuses files that do not fit together") {
  const auto message = [](const std::string& name, const std::string& bytes) {
    const Files files;
    write_bytes(files.dir / name, bytes);
    return said_by([&] { io::mnist(files.dir.path()); });
  };
  CHECK_THAT(message("train-labels-idx1-ubyte", idx({3}, "\1\1\1")),
             ContainsSubstring("has 3 labels, ") && ContainsSubstring("has 2 images; their numbers must be equal"));
  CHECK_THAT(message("train-labels-idx1-ubyte", idx({2}, "\1\x0a")),
             ContainsSubstring("label 1 is 10; labels are 0 to 9"));
  CHECK_THAT(message("train-labels-idx1-ubyte", idx({2, 1}, "\1\1")),
             ContainsSubstring("has shape 2x1; labels have 1 axis"));
  CHECK_THAT(message("t10k-images-idx3-ubyte", idx({1}, "\1")), ContainsSubstring("has shape 1; images have 3 axes"));
  CHECK_THAT(message("t10k-images-idx3-ubyte", idx({1, 2, 3}, "abcdef")),
             ContainsSubstring("training images are 2x2, the test images 2x3"));
  CHECK_THAT(message("t10k-images-idx3-ubyte", idx({1, 0, 2}, "")), ContainsSubstring("images of 0x2 pixels"));
}
