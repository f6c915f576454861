#pragma once

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

/// The directory with the four files of MNIST: TAPEGRAD_TEST_MNIST_DIR, or data/mnist of the source tree.
/// Where they are not, ends the program with 77, which ctest reports as "skipped" under the test's name.
inline std::filesystem::path mnist_dir() {
  const char* chosen = std::getenv("TAPEGRAD_TEST_MNIST_DIR");
  const std::filesystem::path dir = chosen ? chosen : TAPEGRAD_SOURCE_DIR "/data/mnist";
  for (const std::string name :
       {"train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"}) {
    if (std::filesystem::exists(dir / name) || std::filesystem::exists(dir / (name + ".gz"))) continue;
    std::printf("skipped: no %s in %s; tools/fetch-mnist fetches it\n", name.c_str(), dir.c_str());
    std::fflush(stdout);
    std::_Exit(77);
  }
  return dir;
}
