// How a program ends that runs out of memory, is interrupted, or cannot write where it is told to.

#include "../../examples/common/report.hpp"

#include <csignal>

#include "../../examples/common/checkpoints.hpp"
#include "../../examples/common/progress.hpp"
#include "catch.hpp"
#include "io/temporary.hpp"

using namespace examples;

TEST_CASE("where memory runs out, a program says which of its options ask for less") {
  Options options;
  CLI::App vae("", "vae"), classifier("", "classifier"), judge("", "judge");
  add_options(vae, options);
  add_latent(vae, options);
  add_options(classifier, options);
  add_place(judge, options);
  CHECK(out_of_memory(vae) == "not enough memory; try a smaller --hidden, --latent or --batch");
  CHECK(out_of_memory(classifier) == "not enough memory; try a smaller --hidden or --batch");
  CHECK(out_of_memory(judge) == "not enough memory");
  char name[] = "vae";
  char* arguments[] = {name};
  CHECK(run_main(vae, 1, arguments, [] { throw std::bad_alloc(); }) == 1);
}

TEST_CASE("what --out names is told where it cannot be a folder") {
  const TemporaryDirectory dir;
  const std::string file = write_bytes(dir / "file", "");
  Options options;
  options.out = file;
  CHECK_THROWS_WITH(output_path(options, "x"), file + ": cannot be made a folder: Not a directory");
  options.out = "";
  CHECK_THROWS_WITH(output_path(options, "x"), ContainsSubstring("\"\": cannot be made a folder: "));
}

TEST_CASE("an interrupt and SIGTERM wait for the end of a step, a second one does not") {
  const TemporaryDirectory dir;
  Options options;
  options.out = dir.path().string();
  for (const int signal : {SIGINT, SIGTERM}) {
    Checkpoints checkpoints({}, options);
    tg::Index part = 1;
    checkpoints.state.add("part", part);
    std::raise(signal);
    struct sigaction second {};
    ::sigaction(signal, nullptr, &second);
    CHECK(second.sa_handler == SIG_DFL);
    CHECK_THROWS_WITH(checkpoints.after_step(), ContainsSubstring("interrupted; to go on"));
    CHECK(std::filesystem::remove(dir / "checkpoint.safetensors"));
  }
}

TEST_CASE("how long a run will take is told in minutes and hours") {
  CHECK(Projection::duration(12.4) == "12 min");
  CHECK(Projection::duration(59.6) == "1 h 00 min");
  CHECK(Projection::duration(185) == "3 h 05 min");
}

TEST_CASE("a path to be pasted into a shell is in quotes where it needs them") {
  CHECK(shell_word("out/vae-2d/checkpoint.safetensors") == "out/vae-2d/checkpoint.safetensors");
  CHECK(shell_word("my runs/a") == "'my runs/a'");
  CHECK(shell_word("a$b") == "'a$b'");
  CHECK(shell_word("it's") == "'it'\\''s'");
}
