#include "workers/agent/file_rules.h"

#include <linux/landlock.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <filesystem>

#include "tests/support/fixtures.h"
#include "tests/support/status_matchers.h"
#include "workers/agent/landlock.h"
#include "workers/base/files.h"

namespace bitwright::worker {
namespace {

// The newest version whose rights are known here, and the one of Debian 12's kernel.
constexpr int kNewest = 5;
constexpr int kDebian12 = 2;

TEST(FileRules, ATaskHasItsFoldersItsLinksItsProgramAndNothingElse) {
  const std::vector<std::string> programs = {"/lib/libm.so.6", "/proc/self/exe"};
  const std::vector<FileRule> expected = {{"/w/in", FileAccess::kRead},
                                          {"/w/out", FileAccess::kFill},
                                          {"/proc/self/status", FileAccess::kRead},
                                          {"/proc/self/clear_refs", FileAccess::kReplace},
                                          {"/blobs/ab/abc", FileAccess::kRead},
                                          {"/lib/libm.so.6", FileAccess::kRun},
                                          {"/proc/self/exe", FileAccess::kRun}};
  EXPECT_EQ(RulesFor({"/w/in", "/w/out", {"/blobs/ab/abc"}}, programs), expected);
}

TEST(FileRules, CudaHasItsDriverAndWhatThatAsksFor) {
  const TempDir dir;
  for (const char* name : {"libcuda.so.1", "libnvidia-ptxjitcompiler.so.1", "libother.so.1"}) {
    ASSERT_THAT(WriteFile(dir / name, "x"), IsOk());
  }
  const std::vector<FileRule> rules = CudaRules(dir / "libcuda.so.1");
  const auto has = [&](const std::string& path, FileAccess access) {
    return std::find(rules.begin(), rules.end(), FileRule{path, access}) != rules.end();
  };
  EXPECT_TRUE(has(dir / "libcuda.so.1", FileAccess::kRun));
  EXPECT_TRUE(has(dir / "libnvidia-ptxjitcompiler.so.1", FileAccess::kRun));
  EXPECT_TRUE(has("/proc/self/task", FileAccess::kReplace)) << "the names of its threads";
  EXPECT_TRUE(has("/proc/driver/nvidia", FileAccess::kRead));
  for (const FileRule& rule : rules) {
    EXPECT_EQ(rule.path.find("libother"), std::string::npos);
    EXPECT_EQ(rule.path.starts_with("/dev/"), rule.access == FileAccess::kDevice) << rule.path;
    EXPECT_NE(rule.access, FileAccess::kFill) << rule.path;
  }
}

TEST(FileRules, TheTargetsOfLinksAreFound) {
  const TempDir dir;
  ASSERT_THAT(WriteFile(dir / "plain", "x"), IsOk());
  ASSERT_EQ(::symlink("/blobs/b", (dir / "2").c_str()), 0);
  ASSERT_EQ(::symlink("/blobs/a", (dir / "1").c_str()), 0);
  EXPECT_EQ(LinkTargets(dir.path()), (std::vector<std::string>{"/blobs/a", "/blobs/b"}));
  EXPECT_EQ(LinkTargets(dir / "nothing"), std::vector<std::string>{});
}

TEST(Landlock, EveryRightOfAVersionIsTakenAway) {
  EXPECT_EQ(LandlockHandled(0), 0u);
  EXPECT_EQ(std::popcount(LandlockHandled(1)), 13);
  EXPECT_EQ(std::popcount(LandlockHandled(2)), 14);
  EXPECT_EQ(std::popcount(LandlockHandled(3)), 15);
  EXPECT_EQ(std::popcount(LandlockHandled(4)), 15);
  EXPECT_EQ(std::popcount(LandlockHandled(kNewest)), 16);
}

TEST(Landlock, WhoReadsDoesNotWriteAndWhoWritesDoesNotRun) {
  const uint64_t changing = LandlockHandled(kNewest) & ~uint64_t{LANDLOCK_ACCESS_FS_READ_FILE} &
                            ~uint64_t{LANDLOCK_ACCESS_FS_READ_DIR} & ~uint64_t{LANDLOCK_ACCESS_FS_EXECUTE};
  for (const FileAccess access : {FileAccess::kRead, FileAccess::kRun}) {
    EXPECT_EQ(LandlockRights(access, true, kNewest) & changing, 0u);
  }
  const uint64_t fill = LandlockRights(FileAccess::kFill, true, kNewest);
  EXPECT_NE(fill & LANDLOCK_ACCESS_FS_MAKE_REG, 0u);
  for (const uint64_t never : {LANDLOCK_ACCESS_FS_EXECUTE, LANDLOCK_ACCESS_FS_MAKE_SYM, LANDLOCK_ACCESS_FS_REFER,
                               LANDLOCK_ACCESS_FS_MAKE_DIR, LANDLOCK_ACCESS_FS_MAKE_BLOCK}) {
    EXPECT_EQ(fill & never, 0u) << never;
  }
}

TEST(Landlock, RightsAreThoseThatVersionAndKindOfFileKnow) {
  for (const FileAccess access :
       {FileAccess::kRead, FileAccess::kRun, FileAccess::kReplace, FileAccess::kFill, FileAccess::kDevice}) {
    for (const int version : {1, kDebian12, 3, kNewest}) {
      EXPECT_EQ(LandlockRights(access, true, version) & ~LandlockHandled(version), 0u);
      EXPECT_EQ(LandlockRights(access, false, version) & LANDLOCK_ACCESS_FS_READ_DIR, 0u);
      EXPECT_EQ(LandlockRights(access, false, version) & LANDLOCK_ACCESS_FS_MAKE_REG, 0u);
      EXPECT_NE(LandlockRights(access, false, version), 0u);
    }
  }
}

}  // namespace
}  // namespace bitwright::worker
