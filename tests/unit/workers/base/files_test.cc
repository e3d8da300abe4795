#include "workers/base/files.h"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace bitwright::worker
