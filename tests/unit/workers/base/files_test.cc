#include "workers/base/files.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>

#include "tests/support/fixtures.h"
#include "tests/support/status_matchers.h"

namespace bitwright::worker {
namespace {

TEST(Files, WhatIsWrittenIsMapped) {
  TempDir dir;
  BITWRIGHT_ASSERT_OK(WriteFile(dir / "a", "hello"));
  ASSERT_OK_AND_ASSIGN(const auto file, MappedFile::Open(dir / "a"));
  EXPECT_EQ(file->text(), "hello");
}

TEST(Files, EmptyFileMapsToNothing) {
  TempDir dir;
  BITWRIGHT_ASSERT_OK(WriteFile(dir / "a", ""));
  ASSERT_OK_AND_ASSIGN(const auto file, MappedFile::Open(dir / "a"));
  EXPECT_TRUE(file->bytes().empty());
}

TEST(Files, MissingFileAndFolderAreNamed) {
  TempDir dir;
  const auto missing = MappedFile::Open(dir / "none");
  EXPECT_THAT(missing, StatusIs(absl::StatusCode::kNotFound));
  EXPECT_NE(missing.status().message().find("none"), absl::string_view::npos);
  EXPECT_THAT(MappedFile::Open(dir.path()), HasReason("FILE_UNREADABLE"));
}

TEST(Files, FullDiskHasItsReason) {
  EXPECT_THAT(WriteFile("/dev/full", std::string(1 << 16, 'x')), HasReason("DISK_FULL"));
}

// Bytes of resident memory that belong to files.
int64_t FileBytes() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("RssFile:")) return std::atoll(line.c_str() + 8) * 1024;
  }
  return -1;
}

TEST(MappedFile, WhatIsReleasedIsNoMemoryOfThisProcessAndStillThere) {
  const TempDir dir;
  const std::string text = std::string(32 << 20, 'a') + "end";
  BITWRIGHT_ASSERT_OK(WriteFile(dir / "file", text));
  ASSERT_OK_AND_ASSIGN(const auto file, MappedFile::Open(dir / "file"));
  file->WillNeed(file->bytes());
  EXPECT_EQ(std::count(file->text().begin(), file->text().end(), 'a'), 32 << 20);
  const int64_t before = FileBytes();
  file->Release(file->bytes().subspan(100));
  EXPECT_LT(FileBytes(), before - (30 << 20));
  EXPECT_EQ(file->text(), text);
  file->Release(file->bytes().subspan(50, 10));  // no whole page
  file->Release({});
}

}  // namespace
}  // namespace bitwright::worker
