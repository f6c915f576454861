// What the example programs refuse, and what they leave where something fails.

#include "programs.hpp"

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
  fails("vae", "--epochs 0", "--epochs: 0 is not a whole number from 1 to 100000\n");
  fails("vae", "--lr nan", "--lr: nan is not a finite number above 0");
  fails("vae", "--lr 0", "--lr: 0 is not a finite number above 0");
  fails("vae", "--lr 1e-50", "--lr: 1e-50 as a float is not a finite number above 0\n");
  fails("flow", "--lr 1e39", "--lr: 1e39 as a float is not a finite number above 0\n");
  fails("vae", "--beta 1e300", "--beta: 1e300 as a float is not a finite number of 0 or more\n");
  fails("iwae", "--initial-v 1e39", "--initial-v: 1e39 as a float is not a finite number of 0 or more\n");
  fails("vae", "--no-such-option", "--no-such-option");
  for (const std::string wrong : {"sometimes", "7", "1"})  // the enum's number is no name
    fails("vae", "--binarize " + wrong, "--binarize: got \"" + wrong + "\"; it is one of bernoulli, none, threshold\n");
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
  fails("decoder_only", "--codes sometimes",
        "--codes: got \"sometimes\"; it is one of fixed, learned, nearest, redrawn\n");
  fails("iwae", "--objective elbo", "--objective: got \"elbo\"; it is one of iwae, vae\n");
  fails("decoder_only", "--codes learned --samples 4", "--samples is for codes that are redrawn or nearest");
  fails("decoder_only", "--codes nearest", "--codes nearest chooses among --samples");
  fails("decoder_only", "--no-target-check", "--as-posted");
  for (const char* program : {"vae", "decoder_only", "classifier", "gan", "flow"})
    fails(program, small(data, "a") + " --lr 1e30", "try a lower --lr");
  fails("decoder_only", "--as-posted --quiet " + place(data, "a"), "bce: ");
}

TEST_CASE("a file that an unset shell variable names is not taken for none") {
  const Data data;
  for (const auto& [program, option] : {std::pair("vae", "--resume"), std::pair("decoder_only", "--resume"),
                                        std::pair("iwae", "--resume"), std::pair("iwae", "--weights")}) {
    const Outcome outcome = run(program, place(data, "a") + " " + option + " \"$NOT_SET\"");
    CHECK(outcome.exit_code > 100);
    CHECK_THAT(outcome.output,
               ContainsSubstring(std::string(option) + ": got \"\" (a shell variable that is not set?); "
                                                       "it must be a file's path\n"));
    CHECK_FALSE(fs::exists(data.path() / "a"));
  }
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
    write_bytes(data / (std::string(part) + "-images-idx3-ubyte"), idx({2, 8, 8}, std::string(2 * 8 * 8, '\0')));
    write_bytes(data / (std::string(part) + "-labels-idx1-ubyte"), idx({2}, {0, 1}));
  }
  for (const std::string program : {"vae", "decoder_only", "classifier", "gan", "flow", "iwae", "judge"}) {
    const Outcome outcome = run(program, place(data, "a") + (program == "judge" ? " x" : ""));
    CHECK(outcome.exit_code == 1);
    CHECK_THAT(outcome.output, ContainsSubstring("its images are 8x8, and MNIST's are 28x28"));
  }
}

TEST_CASE("what cannot be printed is an error") {
  const Data data;
  for (const std::string& arguments : {std::string("--help"), small(data, "a")}) {
    const Outcome outcome = run_command(path_of("classifier") + " " + arguments + " 2>&1 >/dev/full");
    CHECK(outcome.exit_code == 1);
    CHECK(outcome.output == "classifier: standard output could not be written (is its disk full?)\n");
  }
}

TEST_CASE("a figure is not written to a device, and that is an error") {
  const Data data;
  fs::create_directories(data.path() / "a");
  fs::create_symlink("/dev/full", data.path() / "a/metrics.csv");
  const Outcome outcome = run("flow", few_samples(data, "a") + " --steps 5 --quiet");
  CHECK(outcome.exit_code == 1);
  CHECK_THAT(outcome.output, ContainsSubstring("a/metrics.csv: "));
}
