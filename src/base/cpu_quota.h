// How much of the machine's processors the operating system lets this process have.
#pragma once

#include <filesystem>

namespace mla {

/// The CPU quota of this process's control groups in whole cores, a part of one counted as one; 0 if there is none.
/// The least of all groups from the process's own up to the root counts, in both versions of control groups: v2's
/// `cpu.max`, v1's `cpu.cfs_quota_us` and `cpu.cfs_period_us` (Linux: Documentation/admin-guide/cgroup-v2.rst and
/// Documentation/scheduler/sched-bwc.rst; which groups a process is in: cgroups(7), /proc/[pid]/cgroup). Group folders
/// that are not visible, as the host's are not in a container, are passed over. `root` is where /proc and /sys are.
int cpu_quota(const std::filesystem::path& root = "/");

}  // namespace mla
