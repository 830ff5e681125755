#include "base/cpu_quota.h"

#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>
#include <string>

#include "unit/base/scratch_folder.h"

namespace {

/// A root folder with the files of /proc and /sys that a test puts there.
class Tree {
 public:
  Tree& put(const std::string& file, const std::string& content) {
    const std::filesystem::path path = folder_.path() / file;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << content;
    return *this;
  }
  int quota() const { return mla::cpu_quota(folder_.path()); }

 private:
  ScratchFolder folder_;
};

}  // namespace

TEST_CASE("CPU quota: none without control groups or limits", "[cpu_quota]") {
  CHECK(Tree().quota() == 0);
  CHECK(Tree().put("proc/self/cgroup", "0::/\n").quota() == 0);
  CHECK(Tree().put("proc/self/cgroup", "0::/\n").put("sys/fs/cgroup/cpu.max", "max 100000\n").quota() == 0);
  CHECK(Tree().put("proc/self/cgroup", "nonsense\n:\n0::/\n").put("sys/fs/cgroup/cpu.max", "?\n").quota() ==
        0);
  CHECK(Tree().put("proc/self/cgroup", "0::/\n").put("sys/fs/cgroup/cpu.max", "50000 0\n").quota() == 0);
}

TEST_CASE("CPU quota: parts of a core count as one", "[cpu_quota]") {
  const auto of = [](const std::string& limit) {
    return Tree().put("proc/self/cgroup", "0::/\n").put("sys/fs/cgroup/cpu.max", limit).quota();
  };
  CHECK(of("1000 100000\n") == 1);
  CHECK(of("100000 100000\n") == 1);
  CHECK(of("150000 100000\n") == 2);
  CHECK(of("400000 100000\n") == 4);
  CHECK(of("30000 10000\n") == 3);
}

TEST_CASE("CPU quota: the least of all groups from the process's own up to the root", "[cpu_quota]") {
  Tree tree;
  tree.put("proc/self/cgroup", "0::/jobs/one.scope\n")
      .put("sys/fs/cgroup/jobs/cpu.max", "max 100000\n")
      .put("sys/fs/cgroup/jobs/one.scope/cpu.max", "800000 100000\n")
      .put("sys/fs/cgroup/jobs/two.scope/cpu.max", "100000 100000\n");
  CHECK(tree.quota() == 8);
  tree.put("sys/fs/cgroup/jobs/cpu.max", "300000 100000\n");
  CHECK(tree.quota() == 3);
  tree.put("sys/fs/cgroup/cpu.max", "200000 100000\n");
  CHECK(tree.quota() == 2);
}

TEST_CASE("CPU quota: a container sees its own group as the root", "[cpu_quota]") {
  // The path is the host's, whose folders are not there; or leads out of the namespace.
  for (const std::string path : {"/system.slice/docker-0123.scope", "/../../other"})
    CHECK(Tree()
              .put("proc/self/cgroup", "0::" + path + "\n")
              .put("sys/fs/cgroup/cpu.max", "200000 100000\n")
              .put("sys/other/cpu.max", "100000 100000\n")
              .put("other/cpu.max", "100000 100000\n")
              .quota() == 2);
}

TEST_CASE("CPU quota: version 1", "[cpu_quota]") {
  const std::string groups =
      "12:memory:/jobs\n4:cpu,cpuacct:/jobs/one\n3:cpuset:/other\n2:cpuacct2,mycpu:/no\n1:name=systemd:/\n";
  for (const std::string mount : {"cpu", "cpu,cpuacct"}) {
    const std::string at = "sys/fs/cgroup/" + mount;
    Tree tree;
    tree.put("proc/self/cgroup", groups)
        .put(at + "/cpu.cfs_quota_us", "-1\n")
        .put(at + "/cpu.cfs_period_us", "100000\n")
        .put("sys/fs/cgroup/memory/jobs/cpu.cfs_quota_us", "100000\n")
        .put("sys/fs/cgroup/memory/jobs/cpu.cfs_period_us", "100000\n");
    CHECK(tree.quota() == 0);
    tree.put(at + "/jobs/one/cpu.cfs_quota_us", "500000\n")
        .put(at + "/jobs/one/cpu.cfs_period_us", "100000\n");
    CHECK(tree.quota() == 5);
    tree.put(at + "/jobs/cpu.cfs_quota_us", "125000\n").put(at + "/jobs/cpu.cfs_period_us", "50000\n");
    CHECK(tree.quota() == 3);
  }
}

TEST_CASE("CPU quota: both versions side by side", "[cpu_quota]") {
  Tree tree;
  tree.put("proc/self/cgroup", "2:cpu:/a\n0::/b\n")
      .put("sys/fs/cgroup/cpu/a/cpu.cfs_quota_us", "600000")
      .put("sys/fs/cgroup/cpu/a/cpu.cfs_period_us", "100000");
  CHECK(tree.quota() == 6);
  tree.put("sys/fs/cgroup/unified/b/cpu.max", "400000 100000");
  CHECK(tree.quota() == 4);
}
