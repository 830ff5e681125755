// This process as the system sees it.
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <string>

#include "mla/bench.h"

namespace mla {
namespace {

double seconds_of(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

/// When this process began, in ticks since the system did: field 22 of /proc/self/stat, counted from behind the name, which
/// is field 2, in parentheses, and may itself have blanks (proc(5)). -1 if that cannot be read.
double start_ticks() {
  std::ifstream file("/proc/self/stat");
  std::string line;
  std::getline(file, line);
  std::size_t at = line.rfind(')');
  for (int field = 3; at != std::string::npos && field <= 22; ++field) at = line.find(' ', at + 1);
  if (at == std::string::npos) return -1.0;
  return std::stod(line.substr(at));
}

}  // namespace

double process_seconds() {
  const double used = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
  const double ticks = start_ticks();
  if (ticks < 0.0) return used;
  const double tick = 1.0 / static_cast<double>(::sysconf(_SC_CLK_TCK));
  const double now = seconds_of(CLOCK_BOOTTIME);
  const double most = now - ticks * tick;
  return std::clamp(used, std::max(most - tick, 0.0), std::max(most, 0.0));
}

ProcessMemory process_memory() {
  ProcessMemory memory;
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);) {
    const auto read = [&](std::string_view key, std::size_t& bytes) {
      if (line.starts_with(key)) bytes = std::stoul(line.substr(key.size())) * 1024;  // In kB.
    };
    read("VmHWM:", memory.peak);
    read("VmRSS:", memory.resident);
    read("RssAnon:", memory.anonymous);
  }
  return memory;
}

}  // namespace mla
