// The bar that programs show on a terminal.

#include "../../examples/common/progress.hpp"

#include <fcntl.h>

#include <cstdlib>
#include <string>
#include <thread>

#include "catch.hpp"

using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::EndsWith;
using Catch::Matchers::StartsWith;

namespace {

/// What the bar of an epoch that is half done writes to a terminal of so many columns.
std::string written(unsigned short columns, bool quiet) {
  const int master = posix_openpt(O_RDWR | O_NOCTTY), before = dup(STDOUT_FILENO);
  REQUIRE((grantpt(master) == 0 && unlockpt(master) == 0));
  const int terminal = open(ptsname(master), O_RDWR | O_NOCTTY);
  winsize size{};
  size.ws_col = columns;
  REQUIRE(ioctl(terminal, TIOCSWINSZ, &size) == 0);
  std::fflush(stdout);
  dup2(terminal, STDOUT_FILENO);
  {
    examples::Progress progress(1, 100, quiet);
    std::this_thread::sleep_for(std::chrono::milliseconds(250));  // it waits a fifth of a second
    progress.add(50);
  }
  dup2(before, STDOUT_FILENO);
  close(terminal);  // the last of it, so what was written ends
  std::string text;
  char piece[100];
  for (ssize_t count; (count = read(master, piece, sizeof piece)) > 0;)
    text.append(piece, static_cast<std::size_t>(count));
  close(before);
  close(master);
  return text;
}

const std::string clear = "\r\033[K";

}  // namespace

TEST_CASE("a bar has the images per second and the time that is left, and goes when it is done") {
  const std::string text = written(80, false);
  CHECK_THAT(text, StartsWith(clear + "epoch 1 [############............]  50 %  "));
  CHECK_THAT(text, ContainsSubstring(" images/s  ") && EndsWith(" s left" + clear));
  CHECK(written(80, true).empty());
}

TEST_CASE("a bar is no longer than the terminal is wide, but one") {
  CHECK(written(40, false) == clear + "epoch 1 [############............]  50 " + clear);
}
