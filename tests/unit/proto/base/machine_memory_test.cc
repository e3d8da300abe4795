#include "proto/base/machine_memory.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/support/fixtures.h"

namespace bitwright {
namespace {

class GroupMemory : public ::testing::Test {
 protected:
  void Write(const std::string& path, const std::string& text) {
    const std::filesystem::path file = dir_ / path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text << '\n';
  }
  std::optional<int64_t> Limit() const { return GroupMemoryLimit(dir_.path()); }

  TempDir dir_;
};

TEST_F(GroupMemory, NoGroupNoLimit) {
  EXPECT_EQ(Limit(), std::nullopt);
  Write("proc/self/cgroup", "0::/a");
  EXPECT_EQ(Limit(), std::nullopt);
}

TEST_F(GroupMemory, TheLeastOfAGroupAndThoseAboveItCounts) {
  Write("proc/self/cgroup", "0::/a/b");
  Write("sys/fs/cgroup/memory.max", "max");
  Write("sys/fs/cgroup/a/memory.max", "3000");
  Write("sys/fs/cgroup/a/b/memory.max", "5000");
  EXPECT_EQ(Limit(), 3000);
  Write("sys/fs/cgroup/a/b/memory.max", "2000");
  EXPECT_EQ(Limit(), 2000);
}

TEST_F(GroupMemory, AContainersOwnLimitIsAtTheRoot) {
  Write("proc/self/cgroup", "0::/docker/0123/not/here");
  Write("sys/fs/cgroup/memory.max", "4000");
  EXPECT_EQ(Limit(), 4000);
}

TEST_F(GroupMemory, VersionOneHasAHierarchyOfItsOwn) {
  Write("proc/self/cgroup", "5:devices:/x\n4:cpu,memory:/x\n0::/");
  Write("sys/fs/cgroup/memory/x/memory.limit_in_bytes", "7000");
  Write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712");
  EXPECT_EQ(Limit(), 7000);
}

TEST(MachineMemory, IsThere) { EXPECT_GT(MachineMemoryBytes(), int64_t{1} << 26); }

}  // namespace
}  // namespace bitwright
