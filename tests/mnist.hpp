#pragma once

#include <cstdio>
#include <cstdlib>
#include <filesystem>

/// The directory with the four files of MNIST: TAPEGRAD_TEST_MNIST_DIR, or data/mnist of the source tree.
/// Where they are not, ends the program with 77, which ctest reports as "skipped" under the test's name.
inline std::filesystem::path mnist_dir() {
  const char* chosen = std::getenv("TAPEGRAD_TEST_MNIST_DIR");
  const std::filesystem::path dir = chosen ? chosen : TAPEGRAD_SOURCE_DIR "/data/mnist";
  if (!std::filesystem::exists(dir / "train-images-idx3-ubyte") &&
      !std::filesystem::exists(dir / "train-images-idx3-ubyte.gz")) {
    std::printf("skipped: no MNIST in %s; tools/fetch-mnist fetches it\n", dir.c_str());
    std::fflush(stdout);
    std::_Exit(77);
  }
  return dir;
}
