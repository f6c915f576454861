// Programs do what their options say, and what they write is what they found.

#include "programs.hpp"

#include <cmath>
#include <sstream>

#include "tapegrad/io.hpp"

TEST_CASE("no option is ignored") {
  const Data data;
  const auto [program, all, options] =
      GENERATE(std::tuple("vae", "--samples-out 20 ",
                          std::vector{"--hidden 16", "--latent 5", "--batch 60", "--seed 2", "--beta 2"}),
               std::tuple("decoder_only", "--samples-out 20 ",
                          std::vector{"--hidden 16", "--latent 5", "--samples 2", "--images 300"}),
               std::tuple("gan", "--samples-out 20 ", std::vector{"--hidden 16", "--latent 5", "--dropout 0.1"}),
               std::tuple("flow", "--samples-out 20 ", std::vector{"--hidden 16", "--steps 3"}),
               std::tuple("classifier", "", std::vector{"--hidden 16", "--dropout 0.6"}),
               std::tuple("iwae", "--k 3 ",
                          std::vector{"--k 2", "--objective vae", "--beta1 0.5", "--initial-v 0", "--seed 2"}));
  const std::string base =
      program == std::string("iwae") ? place(data, "a") + " --stages 1 --eval-samples 60 " : small(data, "a") + " ";
  const auto left_by = [&, program = program, all = all](const std::string& option) {
    const Outcome outcome = run(program, base + all + "--quiet " + option);
    INFO(outcome.output);
    REQUIRE(outcome.exit_code == 0);
    json found = without_times(summary(data, "a"));
    found.erase("options");
    const fs::path samples = data / "a/samples.npy";
    return found.dump() + (fs::exists(samples) ? read_bytes(samples) : "");
  };
  const std::string as_it_is = left_by("");
  for (const char* option : options) {
    INFO(program << " " << option);
    CHECK((left_by(option) != as_it_is));  // in brackets, as nobody could read the two
  }
}

TEST_CASE("a run does not go on with other options") {
  const Data data;
  const auto [program, more, others] =
      GENERATE(std::tuple("vae", " --binarize bernoulli",
                          std::vector{"--beta 2", "--autoencoder", "--binarize none", "--batch 60", "--seed 2"}),
               std::tuple("decoder_only", " --samples 8",
                          std::vector{"--codes nearest", "--samples 9", "--images 300", "--batch 60", "--seed 2"}),
               std::tuple("gan", "", std::vector{"--dropout 0.1", "--batch 60", "--seed 2"}),
               std::tuple("flow", "", std::vector{"--epochs 4", "--batch 60", "--seed 2"}));
  const std::string arguments = few_samples(data, "a") + more;
  REQUIRE(run(program, arguments + " --checkpoint-every 20").exit_code == 0);
  const std::string resume = " --resume " + (data / "a/checkpoint.safetensors").string() + " ";
  for (const char* other : others) {
    INFO(program << " " << other);
    CHECK_THAT(run(program, arguments + resume + other).output,
               ContainsSubstring("is a checkpoint of another run: \""));
  }
}

TEST_CASE("the last line of metrics.csv is what summary.json says") {
  const Data data;
  const auto last_line = [&](const std::string& out) {
    std::istringstream file(read_bytes(data.path() / out / "metrics.csv"));
    std::string line;
    while (file >> line) continue;
    std::vector<double> numbers;
    std::istringstream cells(line);
    for (std::string cell; std::getline(cells, cell, ',');) numbers.push_back(std::stod(cell));
    return numbers;
  };
  const auto check = [](const std::vector<double>& cells, const std::vector<json>& found) {
    REQUIRE(cells.size() == found.size());
    for (std::size_t i = 0; i < cells.size(); ++i) CHECK(cells[i] == Approx(found[i].get<double>()).epsilon(1e-4));
  };
  for (const char* program : {"vae", "gan", "flow"})
    REQUIRE(run(program, few_samples(data, program) + " --quiet").exit_code == 0);
  const json vae = summary(data, "vae"), gan = summary(data, "gan"), flow = summary(data, "flow");
  const json &train = vae["train_running"], &test = vae["test"];
  check(last_line("vae"),
        {3, train["loss"], train["reconstruction"], train["kl"], test["loss"], test["reconstruction"], test["kl"]});
  check(last_line("gan"),
        {3, gan["discriminator_loss"], gan["generator_loss"], gan["real_taken_for_real"], gan["made_taken_for_real"]});
  check(last_line("flow"), {3, flow["train_mse"], flow["test_mse"]});

  CHECK(vae["images_per_second"].get<double>() * vae["ms_per_step"].get<double>() == Approx(50 * 1e3));
  for (const json& row : vae["rotations"]["by_degrees"])
    for (const std::string what : {"code", "pixel"})
      CHECK(row[what + "_ratio"].get<double>() ==
            Approx(row[what].get<double>() / vae["rotations"]["random_pair"][what].get<double>()));
}

TEST_CASE("judge looks at each of many samples, and at as many neighbours as it is told") {
  const Data data(1200, 1200);
  REQUIRE(run("classifier", place(data, "c") + " --hidden 32 --epochs 5 --batch 50").exit_code == 0);
  const tapegrad::data::ImageDataset images = tapegrad::io::mnist(data.path()).test;
  tapegrad::Tensor samples({1200, 784});  // a thousand zeros, and then ones
  for (int i = 0; i < 1200; ++i) samples.matrix().row(i) = images.tensor(i / 10 * 10 + (i < 1000 ? 0 : 1), 1).matrix();
  const std::string file = (data / "samples.npy").string();
  tapegrad::io::save_npy(file, samples);
  const std::string judge =
      place(data, "j") + " --quiet " + file + " --classifier " + (data / "c/model.safetensors").string();
  REQUIRE(run("judge", judge).exit_code == 0);
  const json found = summary(data, "j");
  CHECK(found["samples"][file]["class_shares"][0].get<double>() == Approx(1000. / 1200));
  CHECK(found["samples"][file]["class_shares"][1].get<double>() == Approx(200. / 1200));
  REQUIRE(run("judge", judge + " --neighbours 30").exit_code == 0);
  CHECK(summary(data, "j")["training_images"]["precision"].get<double>() >
        found["training_images"]["precision"].get<double>());
}

TEST_CASE("programs learn") {
  const Data data;
  REQUIRE(run("classifier", small(data, "classifier") + " --hidden 128 --epochs 10 --dropout 0.9 --quiet").exit_code ==
          0);
  CHECK(summary(data, "classifier")["test_accuracy"].get<double>() > 0.95);  // measured without dropout

  REQUIRE(run("flow", few_samples(data, "flow") + " --hidden 128 --lr 2e-3 --epochs 60 --quiet").exit_code == 0);
  const json flow = summary(data, "flow");
  CHECK(flow["test_mse"].get<double>() < 1.5 * flow["train_mse"].get<double>());

  REQUIRE(run("gan", few_samples(data, "gan") + " --hidden 128 --lr 1e-3 --epochs 60 --quiet").exit_code == 0);
  const tapegrad::Tensor images = tapegrad::io::mnist(data.path()).train.tensor(0, 600);
  const tapegrad::Tensor samples = tapegrad::io::load_npy(data / "gan/samples.npy");
  double distance = 0;  // of a sample to the nearest image: the root of the mean over pixels, and its mean over samples
  for (int i = 0; i < 200; ++i)
    distance +=
        std::sqrt((images.matrix().rowwise() - samples.matrix().row(i)).rowwise().squaredNorm().minCoeff() / 784) / 200;
  CHECK(distance < 0.2);
}
