#include "base/cpu_quota.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

namespace mla {
namespace {

namespace fs = std::filesystem;

constexpr double kNoLimit = std::numeric_limits<double>::infinity();

std::optional<double> read_number(const fs::path& file) {
  std::ifstream stream(file);
  double value = 0;
  if (stream >> value) return value;
  return std::nullopt;
}

double cores(double quota, double period) {
  return quota > 0 && period > 0 ? quota / period : kNoLimit;
}

/// "max 100000", or microseconds of each period.
double limit_v2(const fs::path& group) {
  std::ifstream stream(group / "cpu.max");
  double quota = 0;
  double period = 0;
  return stream >> quota >> period ? cores(quota, period) : kNoLimit;
}

/// A quota of -1 is none.
double limit_v1(const fs::path& group) {
  return cores(read_number(group / "cpu.cfs_quota_us").value_or(-1),
               read_number(group / "cpu.cfs_period_us").value_or(0));
}

/// The least limit of the group `path` and all above it, in a hierarchy mounted at `mount`.
template <typename Limit>
double least_limit(const fs::path& mount, const fs::path& path, Limit limit) {
  double least = limit(mount);
  fs::path group = mount;
  for (const fs::path& part : path.relative_path()) {
    if (part == "..") break;  // A group outside of what a namespace shows.
    group /= part;
    least = std::min(least, limit(group));
  }
  return least;
}

bool has_cpu(std::string_view controllers) {
  return std::string(",").append(controllers).append(",").find(",cpu,") != std::string::npos;
}

}  // namespace

int cpu_quota(const fs::path& root) {
  const fs::path mounts = root / "sys/fs/cgroup";
  double least = kNoLimit;
  std::ifstream groups(root / "proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {  // number:controllers:path
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const fs::path path = line.substr(second + 1);
    if (controllers.empty()) {
      // Alone, or beside hierarchies of version 1.
      for (const fs::path& mount : {mounts, mounts / "unified"})
        least = std::min(least, least_limit(mount, path, limit_v2));
    } else if (has_cpu(controllers)) {
      for (const fs::path& mount : {mounts / "cpu", mounts / controllers})
        least = std::min(least, least_limit(mount, path, limit_v1));
    }
  }
  if (least == kNoLimit) return 0;
  return static_cast<int>(std::clamp(std::ceil(least), 1.0, 1e6));
}

}  // namespace mla
