// The example programs, run as a user would, on a small data set of MNIST's form that the test makes.

#include <sys/wait.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>

#include "catch.hpp"
#include "io/temporary.hpp"
#include "tapegrad/io.hpp"

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

void write_idx(const fs::path& path, const std::vector<int>& shape, const std::vector<std::uint8_t>& bytes) {
  std::ofstream file(path, std::ios::binary);
  file << '\0' << '\0' << '\x08' << static_cast<char>(shape.size());
  for (int length : shape)
    for (int shift = 24; shift >= 0; shift -= 8) file << static_cast<char>(length >> shift);
  file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

/// 28 x 28 images: a bright bar whose place is the label, in noise.
void write_images(const fs::path& folder, const std::string& part, int count, tapegrad::Rng& rng) {
  std::vector<std::uint8_t> pixels, labels;
  for (int image = 0; image < count; ++image) {
    labels.push_back(static_cast<std::uint8_t>(image % 10));
    for (int row = 0; row < 28; ++row)
      for (int col = 0; col < 28; ++col)
        pixels.push_back(static_cast<std::uint8_t>(row / 2 == image % 10 + 2 ? 200 + rng.below(56) : rng.below(40)));
  }
  write_idx(folder / (part + "-images-idx3-ubyte"), {count, 28, 28}, pixels);
  write_idx(folder / (part + "-labels-idx1-ubyte"), {count}, labels);
}

struct Data : TemporaryDirectory {
  explicit Data(int test_images = 100) {
    tapegrad::Rng rng(17);
    write_images(path(), "train", 600, rng);
    write_images(path(), "t10k", test_images, rng);
  }
};

struct Outcome {
  int exit_code;
  std::string output;
};

/// Of a shell; what it says on stderr too, if it is told to.
Outcome run_command(const std::string& command) {
  std::FILE* pipe = popen(command.c_str(), "r");
  REQUIRE(pipe);
  Outcome outcome{0, ""};
  char buffer[4096];
  while (const std::size_t count = std::fread(buffer, 1, sizeof buffer, pipe)) outcome.output.append(buffer, count);
  outcome.exit_code = WEXITSTATUS(pclose(pipe));
  return outcome;
}
/// For a shell.
std::string path_of(const std::string& program) {
  return std::string("'") + TAPEGRAD_BINARY_DIR + "/examples/" + program + "'";
}
Outcome run(const std::string& program, const std::string& arguments) {
  return run_command(path_of(program) + " " + arguments + " 2>&1");
}

std::string place(const Data& data, const std::string& out) {
  return "--data " + data.path().string() + " --out " + (data.path() / out).string();
}
std::string small(const Data& data, const std::string& out) {
  return place(data, out) + " --hidden 32 --epochs 3 --batch 50";
}

/// For the programs that leave samples.
std::string few_samples(const Data& data, const std::string& out) { return "--samples-out 200 " + small(data, out); }

json summary(const Data& data, const std::string& out) {
  return json::parse(std::ifstream(data.path() / out / "summary.json"));
}

int lines(const fs::path& path) {
  std::ifstream file(path);
  return static_cast<int>(std::count(std::istreambuf_iterator<char>(file), {}, '\n'));
}

json without_times(json summary) {
  for (const char* key : {"ms_per_step", "images_per_second"}) summary.erase(key);
  summary["options"].erase("out");
  summary["options"].erase("threads");
  summary["options"].erase("quiet");
  summary.erase("build");  // it tells the number of threads
  return summary;
}

}  // namespace

TEST_CASE("vae leaves pictures, metrics, a model and a summary that adds up") {
  const Data data;
  const Outcome outcome = run("vae", few_samples(data, "a") + " --latent 2");
  INFO(outcome.output);
  REQUIRE(outcome.exit_code == 0);
  CHECK_THAT(outcome.output, ContainsSubstring("epoch  3/3"));
  for (const char* file : {"samples.png", "reconstructions.png", "manifold.png", "interpolation.png", "metrics.csv",
                           "steps.csv", "axes.csv", "codes.csv", "model.safetensors"})
    CHECK(fs::file_size(data.path() / "a" / file) > 0);
  CHECK(lines(data.path() / "a" / "metrics.csv") == 1 + 3);
  CHECK(lines(data.path() / "a" / "steps.csv") == 1 + 600 / 50);  // of the first epoch
  CHECK(lines(data.path() / "a" / "axes.csv") == 1 + 2);
  CHECK(lines(data.path() / "a" / "codes.csv") == 1 + 100);
  CHECK(fs::file_size(data.path() / "a" / "samples.npy") == 128 + 200 * 784 * sizeof(float));
  const json result = summary(data, "a");
  for (const char* part : {"train_running", "train", "test"}) {
    const double sum = result[part]["reconstruction"].get<double>() + result[part]["kl"].get<double>();
    CHECK(result[part]["loss"].get<double>() == Approx(sum));
    CHECK(result[part]["loss"].get<double>() < 543.43);  // every pixel at one half
  }
  CHECK(result["ms_per_step"].get<double>() > 0);
  CHECK(result["options"]["latent"] == 2);
  CHECK_THAT(result["build"].get<std::string>(), ContainsSubstring("tapegrad"));
}

TEST_CASE("what vae measures of its codes fits together") {
  const Data data;
  REQUIRE(run("vae", few_samples(data, "a") + " --latent 3 --epochs 40 --lr 3e-3 --quiet").exit_code == 0);
  const json result = summary(data, "a");
  const auto number = [&](const char* group, const char* key) { return result[group][key].get<double>(); };
  const json before = result["codes"]["untrained"], after = result["codes"]["trained"];
  CHECK(before["kl"].get<double>() < 1);
  CHECK(after["kl"].get<double>() > 1);
  CHECK(after["kl"].get<double>() == Approx(number("test", "kl")));
  double kl = 0;
  for (const json& axis : result["kl_by_axis"]) kl += axis.get<double>();
  CHECK(after["kl"].get<double>() == Approx(kl));
  CHECK(after["aggregated_variance"].get<double>() ==
        Approx(after["variance_of_mu"].get<double>() + after["mean_sigma_squared"].get<double>()));
  CHECK(result["active_units"].get<int>() >= 1);
  CHECK(result["active_units"].get<int>() <= 3);

  CHECK(number("rate", "kl") == Approx(number("train", "kl")));
  CHECK(number("rate", "information_bound") == Approx(std::log(600)));
  CHECK(number("rate", "information") > 1);
  CHECK(number("rate", "information") < std::log(600));
  CHECK(number("rate", "kl") == Approx(number("rate", "information") + number("rate", "aggregate_kl")));

  CHECK(number("importance", "1") == Approx(number("test", "loss")).margin(1));  // other noise
  CHECK(number("importance", "64") < number("importance", "1"));
  double last = 0;
  for (const json& row : result["rotations"]["by_degrees"]) {
    CHECK(row["pixel"].get<double>() > last);
    CHECK(row["code_ratio"].get<double>() > 0);
    last = row["pixel"];
  }
}

TEST_CASE("less weight on the KL, and none at all: vae --beta, vae --autoencoder") {
  const Data data;
  const std::string options = " --latent 3 --epochs 40 --lr 3e-3 --samples-out 0 --quiet";
  for (const char* out : {"one", "little --beta 0.01", "none --autoencoder"})
    REQUIRE(run("vae", small(data, out) + options).exit_code == 0);
  const json one = summary(data, "one"), little = summary(data, "little"), none = summary(data, "none");
  CHECK(little["test"]["kl"].get<double>() > one["test"]["kl"].get<double>());
  CHECK(little["codes"]["trained"]["median_sigma"].get<double>() <
        one["codes"]["trained"]["median_sigma"].get<double>());
  CHECK(none["test"]["kl"] == 0);
  CHECK(none["test"]["reconstruction"].get<double>() < one["test"]["reconstruction"].get<double>());
  CHECK(none["codes"]["trained"].contains("mean_abs_mu"));
  CHECK(!none["codes"]["trained"].contains("kl"));
  CHECK(!none.contains("importance"));
}

TEST_CASE("a seed makes the same summary again on any number of threads, another seed does not") {
  const Data data;
  const std::string options = " --latent 4 --binarize bernoulli --quiet";
  for (const char* out : {"a --threads 1", "b --threads 3", "c --seed 2"}) {
    const Outcome outcome = run("vae", few_samples(data, out) + options);
    CHECK(outcome.output == "");
    REQUIRE(outcome.exit_code == 0);
  }
  CHECK(without_times(summary(data, "a")) == without_times(summary(data, "b")));
  CHECK(without_times(summary(data, "a"))["test"] != without_times(summary(data, "c"))["test"]);
}

TEST_CASE("vae's floors are those of the pixels that it is trained on") {
  const Data data;
  for (const std::string binarize : {"none", "threshold", "bernoulli"}) {
    REQUIRE(run("vae", few_samples(data, "a") + " --epochs 1 --quiet --binarize " + binarize).exit_code == 0);
    const json floors = summary(data, "a")["floors"];
    INFO(binarize << " " << floors);
    for (const char* part : {"train", "test"}) {
      CHECK((floors["perfect"][part].get<double>() > 1) == (binarize == "none"));  // black and white are sure things
      CHECK((floors["class_means"][part].get<double>() > 1) == (binarize != "threshold"));  // a class is one bar then
    }
  }
}

TEST_CASE("decoder_only comes down to the floor, and not below") {
  const Data data;
  const Outcome outcome = run("decoder_only", few_samples(data, "a") + " --latent 2 --epochs 60 --lr 3e-3");
  INFO(outcome.output);
  REQUIRE(outcome.exit_code == 0);
  const json result = summary(data, "a");
  const double floor = result["floors"]["mean_image"]["train"];
  CHECK(result["train"]["loss"].get<double>() > floor);
  CHECK(result["train"]["loss"].get<double>() < floor + 3);
  CHECK(result["train"]["kl"] == 0);
  CHECK(result["distance_to_mean_image"].get<double>() < 0.05);
  CHECK(result["output_std_over_z"].get<double>() < 0.05);
  for (const char* file : {"samples.png", "reconstructions.png", "manifold.png", "interpolation.png", "mean_image.png",
                           "beside_mean.png", "metrics.csv", "steps.csv", "model.safetensors"})
    CHECK(fs::file_size(data.path() / "a" / file) > 0);
}

TEST_CASE("decoder_only gets below the floor where images can choose their codes") {
  const Data data;
  const std::string options = " --latent 2 --epochs 60 --lr 3e-3 --samples-out 0 --quiet";
  for (const char* out : {"samples --samples 32", "nearest --codes nearest --samples 32", "learned --codes learned"}) {
    const Outcome outcome = run("decoder_only", small(data, out) + options);
    INFO(outcome.output);
    REQUIRE(outcome.exit_code == 0);
  }
  const double floor = summary(data, "samples")["floors"]["mean_image"]["test"];
  for (const char* out : {"samples", "nearest", "learned"}) {
    const json result = summary(data, out);
    INFO(out << " " << result["nll"]);
    CHECK(result["nll"]["test"].get<double>() < floor - 30);
    CHECK(result["output_std_over_z"].get<double>() > 0.05);
  }
  CHECK(summary(data, "learned")["auto_decoder"]["test"].get<double>() < floor - 30);
}

TEST_CASE("codes drawn once for each image can be learned by heart, and are of no use to another") {
  const Data data;
  const Outcome outcome =
      run("decoder_only", small(data, "a") + " --codes fixed --images 50 --latent 8 --epochs 400 --lr 3e-3 --quiet");
  INFO(outcome.output);
  REQUIRE(outcome.exit_code == 0);
  const json result = summary(data, "a");
  CHECK(result["train"]["loss"].get<double>() < result["floors"]["mean_image"]["train"].get<double>() - 30);
  CHECK(result["test"]["loss"].get<double>() > result["floors"]["mean_image"]["test"].get<double>());
}

TEST_CASE("decoder_only makes the same summary again on any number of threads") {
  const Data data;
  for (const std::string scheme : {"--samples 16", "--codes learned"}) {
    for (const char* out : {"a --threads 1", "b --threads 3"})
      REQUIRE(run("decoder_only", small(data, out) + " --latent 3 --quiet --samples-out 0 " + scheme).exit_code == 0);
    CHECK(without_times(summary(data, "a")) == without_times(summary(data, "b")));
  }
}

TEST_CASE("the posted program's targets are refused, and the way out is said") {
  const Data data;
  const Outcome outcome = run("decoder_only", place(data, "a") + " --as-posted");
  CHECK(outcome.exit_code == 0);
  CHECK_THAT(outcome.output, ContainsSubstring("is outside [0, 1]; scale images to [0, 1]"));
  CHECK_THAT(outcome.output, ContainsSubstring("To set it right"));
}

TEST_CASE("with the check of targets lifted, the posted program's loss sinks below zero") {
  const Data data;
  const Outcome outcome =
      run("decoder_only", place(data, "a") + " --as-posted --no-target-check --epochs 150 --samples-out 0");
  INFO(outcome.output);
  REQUIRE(outcome.exit_code == 0);
  CHECK_THAT(outcome.output, ContainsSubstring("epoch  1/150"));
  CHECK_THAT(outcome.output, ContainsSubstring("the loss sinks below zero while the pictures turn black"));
  const json result = summary(data, "a");
  CHECK(result["target_check"] == false);
  CHECK(result["train"]["loss"].get<double>() < 0);
}

TEST_CASE("classifier learns") {
  const Data data;
  const Outcome outcome = run("classifier", small(data, "a") + " --epochs 10");
  INFO(outcome.output);
  REQUIRE(outcome.exit_code == 0);
  CHECK(summary(data, "a")["test_accuracy"].get<double>() > 0.95);
}

TEST_CASE("gan and flow train, draw, and leave samples in [0, 1]") {
  const Data data;
  for (const std::string program : {"gan", "flow"}) {
    const Outcome outcome = run(program, few_samples(data, program) + (program == "flow" ? " --steps 5" : ""));
    INFO(outcome.output);
    REQUIRE(outcome.exit_code == 0);
    for (const char* file : {"samples.png", "metrics.csv", "model.safetensors"})
      CHECK(fs::file_size(data.path() / program / file) > 0);
    const tapegrad::Tensor samples = tapegrad::io::load_npy(data.path() / program / "samples.npy");
    CHECK(samples.shape() == tapegrad::Shape{200, 784});
    CHECK(samples.array().minCoeff() >= 0);
    CHECK(samples.array().maxCoeff() <= 1);

    REQUIRE(
        run(program, few_samples(data, "again --quiet --threads 2") + (program == "flow" ? " --steps 5" : "")).output ==
        "");
    CHECK(without_times(summary(data, program)) == without_times(summary(data, "again")));
  }
  CHECK(summary(data, "flow")["test_mse"].get<double>() < 1.5);  // of an answer of 0: the noise's 1, and the images'
}

TEST_CASE("judge tells images from noise") {
  const Data data;
  REQUIRE(run("classifier", small(data, "classifier") + " --epochs 10").exit_code == 0);
  const std::string real = data.path() / "real.npy", noise = data.path() / "noise.npy";
  tapegrad::io::save_npy(real, tapegrad::io::mnist(data.path()).train.tensor(200, 100));
  tapegrad::Tensor images({150, 784});
  tapegrad::Rng rng(3);
  rng.uniform(images);
  tapegrad::io::save_npy(noise, images);
  const std::string place = "--data " + data.path().string() + " --out " + (data.path() / "judge").string() +
                            " --classifier " + (data.path() / "classifier" / "model.safetensors").string() + " ";
  const Outcome outcome = run("judge", place + real + " " + noise);
  INFO(outcome.output);
  REQUIRE(outcome.exit_code == 0);
  const json result = summary(data, "judge");
  const json zero = result["training_images"], good = result["samples"][real], bad = result["samples"][noise];
  CHECK(result["options"]["count"] == 100);
  CHECK(good["frechet_distance"].get<double>() < 3 * zero["frechet_distance"].get<double>());
  CHECK(good["class_entropy"].get<double>() == Approx(std::log(10)).margin(0.05));
  CHECK(good["own_kind"].get<double>() < 0.7);
  CHECK(good["precision"].get<double>() > 0.8);
  CHECK(good["recall"].get<double>() > 0.8);
  CHECK(bad["frechet_distance"].get<double>() > 10 * zero["frechet_distance"].get<double>());
  CHECK(bad["own_kind"].get<double>() > 0.95);
  CHECK(bad["precision"] == 0);

  const auto refused = [&](const std::string& arguments) { return run("judge", place + arguments).output; };
  CHECK_THAT(refused("/nowhere"), ContainsSubstring("/nowhere/samples.npy: "));
  CHECK_THAT(refused(noise + " --classifier " + noise), ContainsSubstring("noise.npy"));
  for (const tapegrad::Scalar wrong : {tapegrad::Scalar(NAN), tapegrad::Scalar(200)}) {
    images.data()[784 * 120] = wrong;
    tapegrad::io::save_npy(noise, images);
    CHECK_THAT(refused(noise), ContainsSubstring("noise.npy: holds numbers outside [0, 1], or NaN"));
  }
  tapegrad::io::save_npy(noise, tapegrad::Tensor({9, 784}));
  CHECK_THAT(refused(noise), ContainsSubstring("9x784; it must be at least 100 images"));
}

TEST_CASE("a wrong call ends with one clear line and a code") {
  const Data data;
  const auto fails = [&](const std::string& program, const std::string& arguments, const std::string& words) {
    const Outcome outcome = run_command(path_of(program) + " " + arguments + " 2>&1 >/dev/null");
    INFO(outcome.output);
    CHECK(outcome.exit_code != 0);
    CHECK_THAT(outcome.output, ContainsSubstring(words));
    CHECK(std::count(outcome.output.begin(), outcome.output.end(), '\n') <= 2);  // and CLI11's hint at --help
  };
  fails("vae", "--data /nowhere", "/nowhere/train-images-idx3-ubyte: is not there");
  fails("vae", "--epochs 0", "--epochs");
  fails("vae", "--lr nan", "--lr: nan is not a finite number above 0");
  fails("vae", "--lr 0", "--lr: 0 is not a finite number above 0");
  fails("vae", "--no-such-option", "--no-such-option");
  fails("vae", "--binarize sometimes", "--binarize");
  fails("vae", "--autoencoder --beta 2", "--beta");
  for (const char* program : {"vae", "decoder_only", "classifier", "gan", "flow"}) {
    const Outcome outcome = run(program, small(data, "a") + " --quiet --out /proc/nowhere");
    CHECK(outcome.exit_code == 1);
    CHECK_THAT(outcome.output, ContainsSubstring("/proc/nowhere"));
  }
  fails("iwae", place(data, "a") + " --out /proc/nowhere", "/proc/nowhere");
  fails("judge", place(data, "a") + " --out /proc/nowhere x", "/proc/nowhere");
  fails("judge", place(data, "a") + " --count 2 x",
        "--neighbours 3 needs more than 3 images of each set; with --count 2 there are 2");
  fails("judge", place(data, "a") + " --neighbours 100 x",
        "--neighbours 100 needs more than 100 images of each set; with --count 10000 there are 100");
  fails("vae", "--seed -1", "--seed: -1 is not a whole number from 0 to 18446744073709551615");
  fails("vae", "--seed 18446744073709551616", "--seed: 18446744073709551616 is not a whole number from 0");
  fails("vae", "--epochs 010", "--epochs: 010 is not a whole number from 1 to 100000");
  fails("decoder_only", "--as-posted --hidden 32", "--hidden excludes --as-posted");
  for (const char* of_training : {"--k 2", "--objective vae", "--stages 1", "--beta1 0.9", "--initial-v 0"})
    fails("iwae", std::string("--weights x ") + of_training, "excludes");
  fails("decoder_only", "--codes sometimes", "--codes");
  fails("decoder_only", "--codes learned --samples 4", "--samples is for codes that are redrawn or nearest");
  fails("decoder_only", "--codes nearest", "--codes nearest chooses among --samples");
  fails("decoder_only", "--no-target-check", "--as-posted");
  for (const char* program : {"vae", "decoder_only", "classifier", "gan", "flow"})
    fails(program, small(data, "a") + " --lr 1e30", "try a lower --lr");
  fails("decoder_only", "--as-posted --quiet " + place(data, "a"), "bce: ");
}

TEST_CASE("a step that spoils the model is an error, were it the last") {
  const Data data;
  for (const char* program : {"vae", "decoder_only", "flow", "classifier"}) {
    const Outcome outcome = run(program, place(data, "a") + " --hidden 32 --epochs 1 --batch 600 --lr 1e30 --quiet");
    CHECK(outcome.exit_code == 1);
    CHECK(outcome.output == std::string(program) + ": the loss is no longer a number; try a lower --lr\n");
    for (const char* file : {"metrics.csv", "summary.json", "model.safetensors"})
      CHECK_FALSE(fs::exists(data.path() / "a" / file));
  }
}

TEST_CASE("a test set of two images is enough") {
  const Data one(1), data(2);
  CHECK_THAT(run("vae", small(one, "a")).output, ContainsSubstring("has one test image"));
  for (const char* program : {"vae", "decoder_only"}) {
    const Outcome outcome = run(program, few_samples(data, "a"));
    INFO(outcome.output);
    CHECK(outcome.exit_code == 0);
  }
}

TEST_CASE("a model is kept once it is trained, whatever comes after") {
  const Data data;
  for (const char* program : {"vae", "decoder_only", "gan", "flow"}) {
    fs::create_directories(data.path() / program / "samples.png");  // where a file is to be written
    CHECK(run(program, few_samples(data, program)).exit_code == 1);
    CHECK(fs::file_size(data.path() / program / "model.safetensors") > 0);
  }
}

TEST_CASE("a run that writes no samples leaves none of an earlier one") {
  const Data data;
  for (const char* samples : {"10", "0"}) {
    REQUIRE(run("gan", small(data, "a") + " --epochs 1 --samples-out " + samples).exit_code == 0);
    CHECK(fs::exists(data.path() / "a/samples.npy") == (samples == std::string("10")));
  }
}

TEST_CASE("a run does not go on to an end that it is past") {
  const Data data;
  const std::string checkpoint = (data.path() / "a/checkpoint.safetensors").string();
  for (const char* program : {"vae", "decoder_only", "gan"}) {
    REQUIRE(run(program, few_samples(data, "a") + " --checkpoint-every 25").exit_code == 0);  // of 36 steps
    const Outcome outcome = run(program, few_samples(data, "b") + " --epochs 2 --resume " + checkpoint);
    CHECK(outcome.exit_code == 1);
    CHECK(outcome.output.find("the checkpoint is of epoch 3; --epochs 2 is less") != std::string::npos);
  }
}

TEST_CASE("images of another size are refused by all programs") {
  const Data data;
  for (const char* part : {"train", "t10k"}) {
    write_idx(data.path() / (std::string(part) + "-images-idx3-ubyte"), {2, 8, 8},
              std::vector<std::uint8_t>(2 * 8 * 8));
    write_idx(data.path() / (std::string(part) + "-labels-idx1-ubyte"), {2}, {0, 1});
  }
  for (const std::string program : {"vae", "decoder_only", "classifier", "gan", "flow", "iwae", "judge"}) {
    const Outcome outcome = run(program, place(data, "a") + (program == "judge" ? " x" : ""));
    CHECK(outcome.exit_code == 1);
    CHECK_THAT(outcome.output, ContainsSubstring("its images are 8x8, and MNIST's are 28x28"));
  }
}

TEST_CASE("a figure that cannot be written is an error") {
  const Data data;
  fs::create_directories(data.path() / "a");
  fs::create_symlink("/dev/full", data.path() / "a/metrics.csv");
  const Outcome outcome = run("flow", few_samples(data, "a") + " --steps 5 --quiet");
  CHECK(outcome.exit_code == 1);
  CHECK_THAT(outcome.output, ContainsSubstring("a/metrics.csv: "));
}

TEST_CASE("--help tells what each option is for") {
  for (const char* program : {"vae", "decoder_only", "classifier", "gan", "flow", "iwae", "judge"}) {
    const Outcome outcome = run(program, "--help");
    CHECK(outcome.exit_code == 0);
    CHECK_THAT(outcome.output, ContainsSubstring("folder to write to"));
    CHECK_THAT(outcome.output, ContainsSubstring(std::string("Examples:\n  ") + program + " "));
  }
  CHECK(run("vae", "--no-such-option").exit_code > 100);
  CHECK(run("vae", "--data no-such-folder").exit_code == 1);
}

TEST_CASE("stopped in the middle of an epoch and resumed, a program leaves the same files") {
  const Data data;
  const auto file = [&](const fs::path& name) {
    std::ifstream in(data.path() / name);
    return std::string(std::istreambuf_iterator<char>(in), {});
  };
  const auto [program, more] = GENERATE(
      std::pair("vae", "--latent 4 --binarize bernoulli"), std::pair("decoder_only", "--latent 4 --samples 8"),
      std::pair("decoder_only", "--latent 4 --codes learned"), std::pair("gan", "--latent 4"), std::pair("flow", ""));
  INFO(program << " " << more);
  const auto run_to = [&](const std::string& out, const std::string& how) {
    return run(program, few_samples(data, out) + " --quiet " + more + how).output;
  };
  REQUIRE(run_to("a", "") == "");  // three epochs of twelve steps
  REQUIRE(run_to("b", " --checkpoint-every 20") == "");
  fs::remove(data.path() / "b/summary.json");
  const std::string resume = " --resume " + (data.path() / "b/checkpoint.safetensors").string();
  REQUIRE(run_to("b", resume) == "");
  CHECK(without_times(summary(data, "a")) == without_times(summary(data, "b")));
  for (const char* name : {"metrics.csv", "steps.csv", "model.safetensors", "samples.npy"})
    CHECK(file(fs::path("a") / name) == file(fs::path("b") / name));
  CHECK_THAT(run_to("b", " --lr 0.5" + resume), ContainsSubstring("is a checkpoint of another run: \"lr\" is "));
  CHECK(file("a/metrics.csv") == file("b/metrics.csv"));  // a refusal leaves what is there
}

TEST_CASE("iwae: stopped anywhere and resumed, or with more stages later, it ends the same") {
  const Data data;
  const auto arguments = [&](const std::string& out) {
    return "--data " + data.path().string() + " --eval-samples 60 --out " + (data.path() / out).string();
  };
  const auto metrics = [&](const std::string& out) {
    std::ifstream file(data.path() / out / "metrics.csv");
    return std::string(std::istreambuf_iterator<char>(file), {});
  };
  const Outcome whole = run("iwae", arguments("a") + " --stages 2 --k 2");
  INFO(whole.output);
  REQUIRE(whole.exit_code == 0);
  CHECK_THAT(whole.output, ContainsSubstring("epoch    4/4   stage 2, lr 7.2e-04"));
  const json result = summary(data, "a");
  CHECK(result["steps"] == 120);
  CHECK(result["test"]["nll"].get<double>() < 420);  // the mean image has 431
  CHECK(result["active_units"].get<int>() > 0);

  // A checkpoint in the middle of the fourth epoch; one of all but the last test images.
  for (const char* how : {"b --stages 2 --checkpoint-every 50", "c --stages 1 --checkpoint-every 39"}) {
    const std::string out(1, *how);
    REQUIRE(run("iwae", arguments(how) + " --k 2").exit_code == 0);
    fs::remove(data.path() / out / "summary.json");
    const Outcome resumed = run("iwae", arguments(out) + " --stages 2 --k 2 --resume " +
                                            (data.path() / out / "checkpoint.safetensors").string());
    INFO(resumed.output);
    REQUIRE(resumed.exit_code == 0);
    CHECK(without_times(summary(data, out)) == without_times(result));
    CHECK(metrics(out) == metrics("a"));
  }
  const std::string checkpoint = " --resume " + (data.path() / "b/checkpoint.safetensors").string();
  CHECK_THAT(run("iwae", arguments("d") + " --k 3" + checkpoint).output,
             ContainsSubstring("is a checkpoint of another run: \"k\" is \"2\" there, \"3\" here"));
  CHECK_THAT(run("iwae", arguments("d") + " --k 2 --eval-samples 7" + checkpoint).output,
             ContainsSubstring("\"eval_samples\" is ") && ContainsSubstring("\"7\" here"));
  CHECK_THAT(run("iwae", arguments("d") + " --k 2 --stages 1" + checkpoint).output,
             ContainsSubstring("the checkpoint is of epoch 4; --stages 1 ends with epoch 1"));
  CHECK_THAT(run("iwae", arguments("d") + " --k 2 --stages 1 --trace 1000").output,
             ContainsSubstring("training ended before --trace had so many steps"));

  const Outcome evaluated =
      run("iwae", arguments("e") + " --weights " + (data.path() / "a/model.safetensors").string());
  CHECK(evaluated.exit_code == 0);
  CHECK(summary(data, "e")["test"] == result["test"]);
  CHECK(result["options"]["k"] == 2);
  for (const char* of_training : {"k", "objective", "stages", "beta1", "initial_v"})
    CHECK_FALSE(summary(data, "e")["options"].contains(of_training));

  // Stopped while it evaluates: the checkpoint is of some images, and only this model goes on with it.
  const std::string more = " --weights " + (data.path() / "a/model.safetensors").string();
  REQUIRE(run("iwae", arguments("f") + more + " --checkpoint-every 7").exit_code == 0);
  fs::remove(data.path() / "f/summary.json");
  const std::string half = " --resume " + (data.path() / "f/checkpoint.safetensors").string();
  CHECK_THAT(run("iwae", arguments("f") + half).output,
             ContainsSubstring("is a checkpoint of another run: \"weights\" is "));
  REQUIRE(run("iwae", arguments("f") + more + half).exit_code == 0);
  CHECK(summary(data, "f")["test"] == result["test"]);
}

TEST_CASE("iwae: an interrupt lets the step finish, saves, and says how to go on") {
  const Data data;
  const std::string out = (data.path() / "a").string(), checkpoint = out + "/checkpoint.safetensors";
  const auto interrupted = [&](const std::string& more) {
    // Once the first epoch is over.
    const std::string program =
        path_of("iwae") + " --data " + data.path().string() + " --stages 8 --quiet --out " + out + more;
    const Outcome outcome =
        run_command("rm -f " + out + "/metrics.csv; " + program + " 2>&1 & program=$!; while ! grep -qs '^1,' " + out +
                    "/metrics.csv && kill -0 $program; do sleep 0.01; done; kill -INT $program; wait $program");
    CHECK(outcome.exit_code == 1);
    CHECK_THAT(outcome.output,
               ContainsSubstring("interrupted; to go on, give the same options and --resume " + checkpoint));
  };
  interrupted("");
  interrupted(" --resume " + checkpoint);
  std::ifstream metrics(out + "/metrics.csv");
  std::string line;
  std::getline(metrics, line);
  int epochs = 0;
  while (std::getline(metrics, line)) CHECK(std::stoi(line) == ++epochs);
  CHECK(epochs >= 2);
}
