#pragma once
// The example programs, run as a user would, on a small data set of MNIST's form that the test makes.

#include <sys/wait.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "catch.hpp"
#include "io/idx_files.hpp"
#include "tapegrad/tapegrad.hpp"

namespace fs = std::filesystem;
using nlohmann::json;

/// 28 x 28 images: a bright bar whose place is the label, in noise.
inline void write_images(const fs::path& folder, const std::string& part, std::uint64_t count, tapegrad::Rng& rng) {
  std::string pixels, labels;
  for (std::uint64_t image = 0; image < count; ++image) {
    labels += static_cast<char>(image % 10);
    for (std::uint64_t row = 0; row < 28; ++row)
      for (int col = 0; col < 28; ++col)
        pixels += static_cast<char>(row / 2 == image % 10 + 2 ? 200 + rng.below(56) : rng.below(40));
  }
  write_bytes(folder / (part + "-images-idx3-ubyte"), idx({count, 28, 28}, pixels));
  write_bytes(folder / (part + "-labels-idx1-ubyte"), idx({count}, labels));
}

struct Data : TemporaryDirectory {
  explicit Data(std::uint64_t test_images = 100, std::uint64_t training_images = 600) {
    tapegrad::Rng rng(17);
    write_images(path(), "train", training_images, rng);
    write_images(path(), "t10k", test_images, rng);
  }
};

struct Outcome {
  int exit_code;
  std::string output;
};

/// Of a shell; what it says on stderr too, if it is told to.
inline Outcome run_command(const std::string& command) {
  std::FILE* pipe = popen(command.c_str(), "r");
  REQUIRE(pipe);
  Outcome outcome{0, ""};
  char buffer[4096];
  while (const std::size_t count = std::fread(buffer, 1, sizeof buffer, pipe)) outcome.output.append(buffer, count);
  outcome.exit_code = WEXITSTATUS(pclose(pipe));
  return outcome;
}
/// For a shell.
inline std::string path_of(const std::string& program) {
  return std::string("'") + TAPEGRAD_BINARY_DIR + "/examples/" + program + "'";
}
inline Outcome run(const std::string& program, const std::string& arguments) {
  return run_command(path_of(program) + " " + arguments + " 2>&1");
}

inline std::string place(const Data& data, const std::string& out) {
  return "--data " + data.path().string() + " --out " + (data.path() / out).string();
}
inline std::string small(const Data& data, const std::string& out) {
  return place(data, out) + " --hidden 32 --epochs 3 --batch 50";
}

/// For the programs that leave samples.
inline std::string few_samples(const Data& data, const std::string& out) {
  return "--samples-out 200 " + small(data, out);
}

inline json summary(const Data& data, const std::string& out) {
  return json::parse(std::ifstream(data.path() / out / "summary.json"));
}

inline int lines(const fs::path& path) {
  std::ifstream file(path);
  return static_cast<int>(std::count(std::istreambuf_iterator<char>(file), {}, '\n'));
}

inline json without_times(json summary) {
  for (const char* key : {"ms_per_step", "images_per_second"}) summary.erase(key);
  summary["options"].erase("out");
  summary["options"].erase("threads");
  summary["options"].erase("quiet");
  summary.erase("build");  // it tells the number of threads
  return summary;
}
