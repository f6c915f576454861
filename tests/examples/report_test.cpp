// How a program ends that runs out of memory, or cannot write where it is told to.

#include "../../examples/common/report.hpp"

#include "../../examples/common/checkpoints.hpp"
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

TEST_CASE("--out that cannot be a folder is named") {
  const TemporaryDirectory dir;
  const std::string file = write_bytes(dir / "file", "");
  Options options;
  options.out = file;
  CHECK_THROWS_WITH(output_path(options, "x"), file + ": cannot be made a folder: Not a directory");
  options.out = "";
  CHECK_THROWS_WITH(output_path(options, "x"), ContainsSubstring("\"\": cannot be made a folder: "));
}

TEST_CASE("a path to be pasted into a shell is in quotes where it needs them") {
  CHECK(shell_word("out/vae-2d/checkpoint.safetensors") == "out/vae-2d/checkpoint.safetensors");
  CHECK(shell_word("my runs/a") == "'my runs/a'");
  CHECK(shell_word("a$b") == "'a$b'");
  CHECK(shell_word("it's") == "'it'\\''s'");
}
