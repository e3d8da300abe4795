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

constexpr size_t kPage = 4096;

TEST(MappedFile, PiecesLieWhereTheyAreInTheWhole) {
  const TempDir dir;
  std::string text;
  for (size_t i = 0; i < 10 * kPage + 100; ++i) text += static_cast<char>('a' + i % 23);
  BITWRIGHT_ASSERT_OK(WriteFile(dir / "whole", text));
  BITWRIGHT_ASSERT_OK(WriteFile(dir / "begin", text.substr(0, 2 * kPage)));
  BITWRIGHT_ASSERT_OK(WriteFile(dir / "end", text.substr(9 * kPage)));
  // The second is taken from the whole file, and shares a page with the first.
  const std::vector<MappedPiece> pieces = {{dir / "begin", 0, 0, 2 * kPage},
                                           {dir / "whole", kPage, kPage, 2 * kPage},
                                           {dir / "end", 0, 9 * kPage, kPage + 100}};
  ASSERT_OK_AND_ASSIGN(const auto file, MappedFile::OpenPieces(text.size(), pieces));
  const auto bytes = file->bytes();
  ASSERT_EQ(bytes.size(), text.size());
  EXPECT_EQ(file->text().substr(0, 3 * kPage), text.substr(0, 3 * kPage));
  EXPECT_EQ(file->text().substr(9 * kPage), text.substr(9 * kPage));
  EXPECT_TRUE(file->Holds(bytes.first(3 * kPage)));
  EXPECT_TRUE(file->Holds(bytes.subspan(9 * kPage)));
  EXPECT_TRUE(file->Holds(bytes.subspan(5 * kPage, 0)));
  EXPECT_FALSE(file->Holds(bytes.first(3 * kPage + 1)));
  EXPECT_FALSE(file->Holds(bytes.subspan(8 * kPage, 2 * kPage)));
  EXPECT_FALSE(file->Holds(bytes));
  file->WillNeed(bytes);
  file->Release(bytes);
  EXPECT_EQ(file->text().substr(kPage, kPage), text.substr(kPage, kPage)) << "still there";
}

TEST(MappedFile, PiecesThatAreNotThereAreRefused) {
  const TempDir dir;
  BITWRIGHT_ASSERT_OK(WriteFile(dir / "piece", std::string(kPage, 'x')));
  const auto open = [&](MappedPiece piece) { return MappedFile::OpenPieces(4 * kPage, std::vector{piece}); };
  EXPECT_THAT(open({dir / "piece", 0, kPage, kPage}), IsOk());
  EXPECT_THAT(open({dir / "none", 0, kPage, kPage}), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(open({dir / "piece", 0, kPage, 2 * kPage}), HasReason("FILE_UNREADABLE")) << "shorter than it should be";
  EXPECT_THAT(open({dir / "piece", 0, 4 * kPage, kPage}), HasReason("FILE_UNREADABLE")) << "beyond the file";
  EXPECT_THAT(open({dir / "piece", 0, 100, kPage}), HasReason("FILE_UNREADABLE")) << "cannot be mapped there";
  EXPECT_THAT(MappedFile::OpenPieces(kPage, {}), HasReason("FILE_UNREADABLE"));
}

}  // namespace
}  // namespace bitwright::worker
