#include "client/cli/out_dir.h"

#include <filesystem>

#include "tests/support/fixtures.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/client/test_files.h"

namespace bitwright::client {
namespace {

namespace fs = std::filesystem;

TEST(OutDir, NewOrEmptyIsFine) {
  TempDir dir;
  EXPECT_THAT(OutDir(dir.path(), false).Check(), IsOk());
  EXPECT_THAT(OutDir(dir / "new/deep", false).Check(), IsOk());
  EXPECT_FALSE(fs::exists(dir / "new"));
  EXPECT_THAT(OutDir(dir / "new/deep", false).Begin(), IsOk());
}

TEST(OutDir, RefusesWhatIsThere) {
  TempDir dir;
  BITWRIGHT_ASSERT_OK(WriteWholeFile(dir / "mine.txt", "x"));
  EXPECT_THAT(OutDir(dir.path(), false).Check(), HasReason("OUT_NOT_EMPTY"));
  EXPECT_THAT(OutDir(dir / "mine.txt", true).Check(), HasReason("OUT_NOT_A_FOLDER"));
}

TEST(OutDir, WhatCannotBeWrittenIsKnownAtOnce) {
  TempDir dir;
  BITWRIGHT_ASSERT_OK(WriteWholeFile(dir / "file", "x"));
  EXPECT_THAT(OutDir(dir / "file/below/it", false).Check(), HasReason("OUT_NOT_A_FOLDER"));
  EXPECT_THAT(OutDir("/proc/1/nothing", false).Check(), HasReason("FILE_UNWRITABLE"));
  EXPECT_FALSE(fs::exists(dir / "file/below"));
}

TEST(OutDir, RoomIsThatOfTheDiskItWillBeOn) {
  TempDir dir;
  const OutDir out(dir / "new/deep", false);
  EXPECT_THAT(out.CheckRoom(0), IsOk());
  EXPECT_THAT(out.CheckRoom(1), IsOk());
  const absl::Status full = out.CheckRoom(int64_t{1} << 60);
  EXPECT_THAT(full, HasReason("DISK_FULL"));
  EXPECT_EQ(GetErrorDetail(full)->metadata.at("needed_bytes"), std::to_string(int64_t{1} << 60));
}

TEST(OutDir, ForceReplacesAnEarlierResultAndNothingElse) {
  TempDir dir;
  const OutDir out(dir.path(), true);
  fs::create_directories(out.model_dir());
  BITWRIGHT_ASSERT_OK(WriteWholeFile(out.model_dir() + "/model-00002-of-00002.safetensors", "old"));
  BITWRIGHT_ASSERT_OK(WriteWholeFile(out.report_json(), "old"));
  BITWRIGHT_ASSERT_OK(WriteWholeFile(dir / "mine.txt", "x"));
  EXPECT_THAT(out.Check(), IsOk());
  EXPECT_TRUE(fs::exists(out.report_json())) << "a job that fails must not cost the earlier result";
  EXPECT_THAT(out.Begin(), IsOk());
  EXPECT_FALSE(fs::exists(out.model_dir()));
  EXPECT_FALSE(fs::exists(out.report_json()));
  EXPECT_TRUE(fs::exists(dir / "mine.txt"));
}

TEST(OutDir, BrokenOffDownloadContinuesWithoutForce) {
  TempDir dir;
  const OutDir out(dir.path(), false);
  BITWRIGHT_ASSERT_OK(out.Begin());
  fs::create_directories(out.model_dir());
  BITWRIGHT_ASSERT_OK(WriteWholeFile(out.model_dir() + "/a.part", "half"));
  EXPECT_THAT(out.Check(), IsOk());
  EXPECT_THAT(out.Begin(), IsOk());
  EXPECT_TRUE(fs::exists(out.model_dir() + "/a.part"));
  EXPECT_THAT(out.Finish(), IsOk());
  EXPECT_THAT(out.Check(), HasReason("OUT_NOT_EMPTY"));
}

}  // namespace
}  // namespace bitwright::client
