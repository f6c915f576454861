// The program `iwae`, stopped and resumed.

#include "programs.hpp"

TEST_CASE("iwae: stopped anywhere and resumed, or with more stages later, it ends the same") {
  const Data data;
  const auto arguments = [&](const std::string& out) { return "--eval-samples 60 " + place(data, out); };
  const auto metrics = [&](const std::string& out) { return read_bytes(data.path() / out / "metrics.csv"); };
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
    const Outcome resumed = run("iwae", arguments(out) + " --stages 2 --k 2 --threads 3 --resume " +
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
  const fs::path out = data.path() / "a run";
  const auto quoted = [](const fs::path& path) { return "'" + path.string() + "'"; };
  const std::string checkpoint = quoted(out / "checkpoint.safetensors"), metrics = quoted(out / "metrics.csv");
  const auto interrupted = [&](const std::string& more) {
    // Once the first epoch is over.
    const std::string program =
        path_of("iwae") + " --data " + data.path().string() + " --stages 8 --quiet --out " + quoted(out) + more;
    const Outcome outcome =
        run_command("rm -f " + metrics + "; " + program + " 2>&1 & program=$!; while ! grep -qs '^1,' " + metrics +
                    " && kill -0 $program; do sleep 0.01; done; kill -INT $program; wait $program");
    CHECK(outcome.exit_code == 1);
    CHECK_THAT(outcome.output,
               ContainsSubstring("interrupted; to go on, give the same options and --resume " + checkpoint));
  };
  interrupted("");
  interrupted(" --resume " + checkpoint);
  std::ifstream file(out / "metrics.csv");
  std::string line;
  std::getline(file, line);
  int epochs = 0;
  while (std::getline(file, line)) CHECK(std::stoi(line) == ++epochs);
  CHECK(epochs >= 2);
}
