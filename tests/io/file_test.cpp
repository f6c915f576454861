#include "tapegrad/io/file.hpp"

#include <sys/stat.h>

#include <cstdlib>

#include "catch.hpp"
#include "temporary.hpp"

using namespace tapegrad;

TEST_CASE("read_file gives all bytes") {
  const TemporaryDirectory dir;
  const auto bytes = io::read_file(write_bytes(dir / "a", std::string("\0\1\xff", 3)));
  CHECK((bytes ==
         std::vector<std::byte>{std::byte{0}, std::byte{1}, std::byte{255}}));  // Catch2 of Debian cannot print them
  CHECK(io::read_file(write_bytes(dir / "empty", "")).empty());
}

TEST_CASE("read_file says what is wrong") {
  const TemporaryDirectory dir;
  CHECK_THROWS_AS(io::read_file(dir / "none"), IoError);
  CHECK_THROWS_WITH(io::read_file(dir / "none"),
                    (dir / "none").string() + ": cannot be opened: No such file or directory");
  CHECK_THROWS_WITH(io::read_file(dir.path()), ContainsSubstring("is a directory or a device; a file is needed"));
  CHECK_THROWS_WITH(io::read_file("/dev/zero"), ContainsSubstring("is a directory or a device"));
  REQUIRE(::mkfifo((dir / "pipe").c_str(), 0600) == 0);  // which nobody writes
  CHECK_THROWS_WITH(io::read_file(dir / "pipe"), ContainsSubstring("is a directory or a device"));
  const std::filesystem::path shorter = "/sys/devices/system/cpu/online";  // than it says
  if (std::filesystem::exists(shorter))
    CHECK_THROWS_WITH(io::read_file(shorter), ContainsSubstring("became shorter while it was read ("));
  const auto file = write_bytes(dir / "file", "bytes");
  CHECK_THROWS_WITH(io::read_file(file.string() + std::string(1, '\0') + "more"),
                    file.string() + ": the path goes on behind a zero byte");
}

TEST_CASE("an atomic file is there after commit, and only then") {
  const TemporaryDirectory dir;
  const auto path = write_bytes(dir / "a", "old");
  {
    io::AtomicFile file(path);
    file.write("new", 3);
    CHECK(read_bytes(path) == "old");
    file.write("er", 2);
    file.commit();
    CHECK_THROWS_WITH(file.write("st", 2),
                      path.string() + ": is closed since commit(); another AtomicFile may replace it");
    CHECK_THROWS_WITH(file.commit(), ContainsSubstring("is closed since commit()"));
  }
  CHECK(read_bytes(path) == "newer");
  CHECK(dir.count() == 1);
}

TEST_CASE("an atomic file that is given up leaves the old one and nothing else") {
  const TemporaryDirectory dir;
  const auto path = write_bytes(dir / "a", "old");
  {
    io::AtomicFile file(path);
    file.write("new", 3);
    CHECK(dir.count() == 2);
  }
  CHECK(read_bytes(path) == "old");
  CHECK(dir.count() == 1);
}

TEST_CASE("what a killed writer left is overwritten, and does not stay") {
  const TemporaryDirectory dir;
  const auto path = write_bytes(dir / "a", "old");
  write_bytes(dir / "a.tmp", "half of something long");
  io::AtomicFile file(path);
  file.write("new", 3);
  file.commit();
  CHECK(read_bytes(path) == "new");
  CHECK(dir.count() == 1);
}

TEST_CASE("of two writers of one file the second is refused, and the first goes on") {
  const TemporaryDirectory dir;
  const io::Path path = dir / "a";
  io::AtomicFile first(path);
  CHECK_THROWS_WITH(io::AtomicFile(path),
                    path.string() + ": is being written by another thread or program (" + path.string() + ".tmp)");
  first.write("first", 5);
  first.commit();
  CHECK(read_bytes(path) == "first");
  io::AtomicFile second(path);  // while the first is still there
  second.write("second", 6);
  second.commit();
  CHECK(read_bytes(path) == "second");
}

TEST_CASE("an atomic file does not write through what stands at its temporary name") {
  const TemporaryDirectory dir;
  const auto other = write_bytes(dir / "other", "precious");
  std::filesystem::create_symlink(other, dir / "a.tmp");
  CHECK_THROWS_WITH(io::AtomicFile(dir / "a"), ContainsSubstring("Too many levels of symbolic links"));
  std::filesystem::remove(dir / "a.tmp");
  std::filesystem::create_hard_link(other, dir / "a.tmp");
  CHECK_THROWS_WITH(io::AtomicFile(dir / "a"), ContainsSubstring("a.tmp is there, and is another file too"));
  CHECK(read_bytes(other) == "precious");
  std::filesystem::remove(dir / "a.tmp");
  REQUIRE(::mkfifo((dir / "a.tmp").c_str(), 0600) == 0);  // which nobody reads
  CHECK_THROWS_WITH(io::AtomicFile(dir / "a"), ContainsSubstring("cannot be written: No such device or address"));
}

TEST_CASE("an atomic file goes through a symbolic link") {
  const TemporaryDirectory dir;
  const auto path = write_bytes(dir / "a", "old");
  std::filesystem::create_symlink("a", dir / "link");
  io::AtomicFile file(dir / "link");
  file.write("new", 3);
  file.commit();
  CHECK(read_bytes(path) == "new");
  CHECK(std::filesystem::is_symlink(dir / "link"));
}

TEST_CASE("an atomic file keeps permissions, and until it is whole nobody else reads it or is kept out") {
  using std::filesystem::perms;
  const TemporaryDirectory dir;
  const auto path = write_bytes(dir / "a", "old");
  write_bytes(dir / "a.tmp", "left behind");
  std::filesystem::permissions(dir / "a.tmp", perms(0644));
  for (const perms mode : {perms(0600), perms(0664), perms(0444)}) {
    std::filesystem::permissions(path, mode);
    io::AtomicFile file(path);
    file.write("new", 3);
    CHECK(std::filesystem::status(dir / "a.tmp").permissions() == perms(0600));
    file.commit();
    CHECK(std::filesystem::status(path).permissions() == mode);
  }
}

TEST_CASE("a new atomic file has the permissions that the umask leaves") {
  const TemporaryDirectory dir;
  const mode_t before = ::umask(0022);
  io::AtomicFile file(dir / "a");
  file.write("new", 3);
  file.commit();
  ::umask(before);
  CHECK(std::filesystem::status(dir / "a").permissions() == std::filesystem::perms(0644));
}

TEST_CASE("a program that is started while a file is written does not inherit it") {
  const TemporaryDirectory dir;
  io::AtomicFile file(dir / "a");
  const std::string command =
      "ls -l /proc/self/fd | grep -c '" + (dir / "a").string() + "' > " + (dir / "count").string();
  static_cast<void>(std::system(command.c_str()));
  CHECK(read_bytes(dir / "count") == "0\n");
}

TEST_CASE("an atomic file makes the target of a symbolic link that is not there yet") {
  const TemporaryDirectory dir;
  std::filesystem::create_directory(dir / "big");
  std::filesystem::create_symlink("big/middle", dir / "link");
  std::filesystem::create_symlink("a", dir / "big/middle");  // in its own folder, not in the first link's
  io::AtomicFile file(dir / "link");
  file.write("new", 3);
  file.commit();
  CHECK(read_bytes(dir / "big/a") == "new");
  CHECK(std::filesystem::is_symlink(dir / "link"));
  CHECK(std::filesystem::is_symlink(dir / "big/middle"));
}

TEST_CASE("an atomic file refuses links that lead round in a circle") {
  const TemporaryDirectory dir;
  std::filesystem::create_symlink("b", dir / "a");
  std::filesystem::create_symlink("a", dir / "b");
  CHECK_THROWS_AS(io::AtomicFile(dir / "a"), IoError);
  CHECK_THROWS_WITH(io::AtomicFile(dir / "a"), ContainsSubstring("is a symbolic link that leads round in a circle"));
}

TEST_CASE("an atomic file refuses what it must not replace, and where it cannot be") {
  const TemporaryDirectory dir;
  CHECK_THROWS_WITH(io::AtomicFile(""), "a file without a name: cannot be written: the path names no file");
  CHECK_THROWS_WITH(io::AtomicFile("/dev/null"), "/dev/null: is a directory or a device; only a file can be replaced");
  CHECK_THROWS_WITH(io::AtomicFile(dir.path()), ContainsSubstring("is a directory or a device"));
  CHECK_THROWS_WITH(io::AtomicFile((dir / "a").string() + std::string(1, '\0') + "b"),
                    ContainsSubstring("a: the path goes on behind a zero byte"));
  CHECK_THROWS_WITH(io::AtomicFile(dir / "none/a"),
                    ContainsSubstring("No such file or directory") && ContainsSubstring("the directory must be there"));
}
