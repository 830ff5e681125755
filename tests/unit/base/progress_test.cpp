#include "base/progress.h"

#include <catch2/catch.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>

#include "base/file.h"
#include "scratch_folder.h"

using namespace mla;

namespace {

/// Standard error goes to `descriptor` as long as the object lives.
class StderrInto {
 public:
  explicit StderrInto(int descriptor) : saved_(::dup(STDERR_FILENO)) {
    std::fflush(stderr);
    ::dup2(descriptor, STDERR_FILENO);
  }
  ~StderrInto() {
    std::fflush(stderr);
    ::dup2(saved_, STDERR_FILENO);
    ::close(saved_);
  }
  StderrInto(const StderrInto&) = delete;
  StderrInto& operator=(const StderrInto&) = delete;

 private:
  int saved_;
};

/// Uses a bar for longer than it waits before it draws. Whether the updates came as soon as they are meant to: on a busy
/// machine they may not.
bool work_for_a_while() {
  using Clock = std::chrono::steady_clock;
  const auto begin = Clock::now();
  ProgressBar bar("label");
  bar.update(1, 4);  // Too early to be shown.
  const bool early = Clock::now() - begin < std::chrono::milliseconds(300);
  std::this_thread::sleep_for(std::chrono::milliseconds(350));
  bar.update(0, 0);
  const auto shown = Clock::now();
  bar.update(2, 4);
  bar.update(3, 4);  // Too soon after the last.
  return early && Clock::now() - shown < std::chrono::milliseconds(100);
}

/// What a bar wrote, its last bytes included; a terminal may hand out the text in pieces.
std::string up_to_wipe(int terminal) {
  std::string text;
  char buffer[1000];
  while (!text.ends_with("\033[K")) {
    const ssize_t got = ::read(terminal, buffer, sizeof buffer);
    REQUIRE(got > 0);
    text.append(buffer, static_cast<std::size_t>(got));
  }
  return text;
}

}  // namespace

TEST_CASE("a progress bar writes nothing where there is no terminal") {
  const ScratchFolder folder;
  const std::filesystem::path path = folder.write("stderr", "");
  const int file = ::open(path.c_str(), O_WRONLY);
  REQUIRE(file >= 0);
  {
    const StderrInto redirected(file);
    work_for_a_while();
  }
  ::close(file);
  CHECK(read_file(path, 1000).empty());
}

TEST_CASE("a progress bar draws on a terminal and wipes its line in the end") {
  const int terminal = ::posix_openpt(O_RDWR | O_NOCTTY);
  if (terminal < 0 || ::grantpt(terminal) != 0 || ::unlockpt(terminal) != 0) {
    WARN("no pseudoterminal here");
    return;
  }
  const int screen = ::open(::ptsname(terminal), O_RDWR | O_NOCTTY);
  REQUIRE(screen >= 0);
  std::string text;
  bool in_time = false;
  for (int attempt = 0; attempt < 50 && !in_time; ++attempt) {
    {
      const StderrInto redirected(screen);
      in_time = work_for_a_while();
    }
    text = up_to_wipe(terminal);
  }
  ::close(screen);
  ::close(terminal);
  CHECK(text == "\rlabel [###############---------------] 2/4\r\033[K");
}
