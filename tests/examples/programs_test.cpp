// What the example programs find and leave behind.

#include "programs.hpp"

#include <cmath>

#include "tapegrad/io.hpp"

TEST_CASE("vae leaves pictures, metrics, a model and a summary that adds up") {
  const Data data;
  const Outcome outcome = run("vae", few_samples(data, "a") + " --latent 2");
  INFO(outcome.output);
  REQUIRE(outcome.exit_code == 0);
  CHECK_THAT(outcome.output, ContainsSubstring("epoch  3/3"));
  CHECK_THAT(outcome.output, ContainsSubstring("KL by axis, from the largest: "));
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
  const double floor = result["floor"];
  CHECK(floor == result["floors"]["mean_image"]["train"].get<double>());
  CHECK(result["above_floor"].get<double>() == result["train"]["loss"].get<double>() - floor);
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
  CHECK(result["options"]["as_posted"] == true);
  CHECK(result["options"]["target_check"] == false);
  CHECK(result["train"]["loss"].get<double>() < 0);
  CHECK(result["distance_to_mean_image"].get<double>() > 0.05);
  CHECK(result["output_std_over_z"].get<double>() < 0.05);
}

TEST_CASE("classifier learns, the same on any number of threads") {
  const Data data;
  const Outcome outcome = run("classifier", small(data, "a") + " --epochs 10");
  INFO(outcome.output);
  REQUIRE(outcome.exit_code == 0);
  CHECK(summary(data, "a")["test_accuracy"].get<double>() > 0.95);
  CHECK_FALSE(summary(data, "a")["options"].contains("latent"));  // other programs have one
  REQUIRE(run("classifier", small(data, "b") + " --epochs 10 --threads 3").exit_code == 0);
  CHECK(without_times(summary(data, "a")) == without_times(summary(data, "b")));
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
  CHECK_FALSE(summary(data, "flow")["options"].contains("latent"));  // the GAN has one
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
  const std::string options =
      place(data, "judge") + " --classifier " + (data / "classifier/model.safetensors").string() + " ";
  const Outcome outcome = run("judge", options + real + " " + noise);
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
  REQUIRE(run("judge", options + "--threads 3 " + real + " " + noise).exit_code == 0);
  CHECK(without_times(summary(data, "judge")) == without_times(result));

  const auto refused = [&](const std::string& arguments) { return run("judge", options + arguments).output; };
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

TEST_CASE("with --help, programs tell what each option is for") {
  for (const char* program : {"vae", "decoder_only", "classifier", "gan", "flow", "iwae", "judge"}) {
    const Outcome outcome = run(program, "--help");
    CHECK(outcome.exit_code == 0);
    CHECK_THAT(outcome.output, ContainsSubstring("folder to write to"));
    CHECK_THAT(outcome.output, ContainsSubstring(std::string("--out TEXT=out/") + program + " "));
    CHECK_THAT(outcome.output, ContainsSubstring(std::string("Examples:\n  ") + program + " "));
  }
  CHECK_THAT(run("decoder_only", "--help").output,
             ContainsSubstring("--codes fixed|learned|nearest|redrawn=redrawn Excludes: --as-posted\n"));
  CHECK(run("vae", "--no-such-option").exit_code > 100);
  CHECK(run("vae", "--data no-such-folder").exit_code == 1);
}

TEST_CASE("stopped in the middle of an epoch and resumed, a program leaves the same files") {
  const Data data;
  const auto [program, more] = GENERATE(
      std::pair("vae", "--latent 4 --binarize bernoulli"), std::pair("decoder_only", "--latent 4 --samples 8"),
      std::pair("decoder_only", "--latent 4 --codes learned"), std::pair("gan", "--latent 4"), std::pair("flow", ""));
  INFO(program << " " << more);
  const auto run_to = [&, program = program, more = more](const std::string& out, const std::string& how) {
    return run(program, few_samples(data, out) + " --quiet " + more + how).output;
  };
  REQUIRE(run_to("a", "") == "");  // three epochs of twelve steps
  REQUIRE(run_to("b", " --checkpoint-every 20") == "");
  fs::remove(data.path() / "b/summary.json");
  const std::string resume = " --resume " + (data.path() / "b/checkpoint.safetensors").string();
  REQUIRE(run_to("b", resume) == "");
  CHECK(without_times(summary(data, "a")) == without_times(summary(data, "b")));
  for (const char* name : {"metrics.csv", "steps.csv", "model.safetensors", "samples.npy"})
    CHECK(read_bytes(data.path() / "a" / name) == read_bytes(data.path() / "b" / name));
  CHECK_THAT(run_to("b", " --lr 0.5" + resume), ContainsSubstring("is a checkpoint of another run: \"lr\" is "));
  CHECK(read_bytes(data / "a/metrics.csv") == read_bytes(data / "b/metrics.csv"));  // a refusal leaves what is there
}
