// Checkpoints are whole files, whatever ends their writers: kills and full disks.

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <random>
#include <thread>

#include "catch.hpp"
#include "run.hpp"
#include "said.hpp"
#include "torture.hpp"

using namespace tapegrad;

TEST_CASE("a writer that is killed at any moment leaves a whole file, the old one or the new") {
  const TemporaryDirectory dir;
  const io::Path path = dir / "run.safetensors";
  const auto images = training::images(40);
  Run run(images);
  const auto before = std::chrono::steady_clock::now();
  run.checkpoint.save(path);
  const auto one_save =
      std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - before);
  const auto longest = static_cast<unsigned>(std::max<std::int64_t>(30000, 5 * one_save.count()));
  const int kills = times(20, 1000);
  const auto seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937 random(seed);
  Index last = 0, differing = 0;
  for (int i = 0; i < kills; ++i) {
    const auto delay = std::chrono::microseconds(random() % longest);
    const pid_t writer = ::fork();
    REQUIRE(writer >= 0);
    if (writer == 0) {
      // Every file is of one number throughout: one that is half old and half new would show.
      try {
        for (Index step = last + 1;; ++step) {
          run.steps = step;
          for (Parameter* parameter : run.model.parameters())
            parameter->mutable_value().fill(static_cast<Scalar>(step));
          run.checkpoint.save(path);
        }
      } catch (const std::exception&) {
        ::_exit(1);
      }
    }
    std::this_thread::sleep_for(delay);
    REQUIRE(::kill(writer, SIGKILL) == 0);
    int status = 0;
    REQUIRE(::waitpid(writer, &status, 0) == writer);
    REQUIRE(WIFSIGNALED(status));
    INFO("killed after " << delay.count() << " us");
    REQUIRE_NOTHROW(run.checkpoint.load(path));
    REQUIRE(run.steps >= last);
    if (run.steps > 0)
      for (const Parameter* parameter : run.model.parameters())
        REQUIRE((parameter->value().array() == static_cast<Scalar>(run.steps)).all());
    differing += run.steps != last;
    last = run.steps;
  }
  CHECK(differing > 0);  // it did write
  run.checkpoint.save(path);
  CHECK(dir.count() == 1);  // whatever they left behind
  tell_tried(std::to_string(kills) + " times, " + std::to_string(differing) + " of them after a new file was there");
}

TEST_CASE("a disk that is full: a clear error, and the old checkpoint stays") {
  const TemporaryDirectory dir;
  const io::Path path = dir / "run.safetensors";
  const auto images = training::images(40);
  Run run(images);
  run.steps = 1;
  run.checkpoint.save(path);
  const auto size = std::filesystem::file_size(path);
  run.steps = 2;

  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  for (const auto limit : {std::uintmax_t{0}, std::uintmax_t{7}, std::uintmax_t{100}, size / 2, size - 1}) {
    rlimit small = before;
    small.rlim_cur = limit;
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
    const std::string message = said_by([&] { run.checkpoint.save(path); });
    ::setrlimit(RLIMIT_FSIZE, &before);
    CHECK(message == path.string() + ": cannot be written: File too large; what was there is unchanged");
  }
  std::signal(SIGXFSZ, handler);
  CHECK(dir.count() == 1);
  run.checkpoint.load(path);
  CHECK(run.steps == 1);
}

TEST_CASE("a full file system", "[.disk]") {
  // TAPEGRAD_SMALL_DISK names a folder on one of a few megabytes, as root makes it:
  //   mount -t tmpfs -o size=16m none /mnt/small
  const char* const folder = std::getenv("TAPEGRAD_SMALL_DISK");
  REQUIRE(folder);
  const io::Path path = io::Path(folder) / "run.safetensors", filler = io::Path(folder) / "filler";
  const auto images = training::images(40);
  Run run(images);
  run.steps = 1;
  run.checkpoint.save(path);
  {
    std::ofstream fill(filler, std::ios::binary);
    const std::string kilobyte(1024, 'x');
    while (fill.write(kilobyte.data(), 1024).flush()) {
    }
  }
  run.steps = 2;
  CHECK_THROWS_WITH(run.checkpoint.save(path),
                    path.string() + ": cannot be written: No space left on device; what was there is unchanged");
  run.checkpoint.load(path);
  CHECK(run.steps == 1);
  std::filesystem::remove(filler);
  run.steps = 2;
  run.checkpoint.save(path);
  run.checkpoint.load(path);
  CHECK(run.steps == 2);
  std::filesystem::remove(path);
  tell_tried("once, on a tmpfs of 16 MB");
}
