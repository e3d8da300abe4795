#include "proto/base/files.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>

#include "proto/base/file_stamp.h"
#include "proto/base/owned_fd.h"
#include "tests/support/fixtures.h"
#include "tests/support/status_matchers.h"

namespace bitwright {
namespace {

absl::Status Named(const std::string& path, int error) {
  return absl::Status(absl::StatusCode::kUnavailable, path + ": " + std::strerror(error));
}

TEST(Files, APrivateFileIsForThisUserAlone) {
  const TempDir dir;
  BITWRIGHT_ASSERT_OK(WriteWholeFile(dir / "file.part", "left by somebody", Named));
  BITWRIGHT_ASSERT_OK(WriteWholeFile(dir / "file", "open to all", Named));
  BITWRIGHT_ASSERT_OK(WritePrivateFile(dir / "file", "secret", Named));
  EXPECT_EQ(*ReadWholeFile(dir / "file", Named), "secret");
  struct stat info {};
  ASSERT_EQ(::stat((dir / "file").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  EXPECT_NE(::stat((dir / "file.part").c_str(), &info), 0);
}

TEST(FileStamp, TellsOneFileFromAnother) {
  const TempDir dir;
  EXPECT_EQ(StampOf(dir / "file"), FileStamp());
  BITWRIGHT_ASSERT_OK(WriteWholeFile(dir / "file", "a", Named));
  const FileStamp first = StampOf(dir / "file");
  EXPECT_NE(first, FileStamp());
  EXPECT_EQ(StampOf(dir / "file"), first);
  BITWRIGHT_ASSERT_OK(WriteWholeFile(dir / "file", "b", Named));
  EXPECT_NE(StampOf(dir / "file"), first) << "another inode, as two files were there at once";
}

TEST(Files, AWrittenFileIsReadBack) {
  const TempDir dir;
  const std::string data("with\0 zero", 10);
  BITWRIGHT_ASSERT_OK(WriteWholeFile(dir / "file", data, Named));
  EXPECT_EQ(*ReadWholeFile(dir / "file", Named), data);
  BITWRIGHT_ASSERT_OK(WriteWholeFile(dir / "file", "", Named));
  EXPECT_EQ(*ReadWholeFile(dir / "file", Named), "");
  struct stat info {};
  EXPECT_NE(::stat((dir / "file.part").c_str(), &info), 0) << "nothing is left beside it";
}

TEST(Files, FaultsAreNamedInTheCallersTerms) {
  const TempDir dir;
  EXPECT_EQ(ReadWholeFile(dir / "none", Named).status().message(), (dir / "none") + ": " + std::strerror(ENOENT));
  EXPECT_EQ(ReadWholeFile(dir.path(), Named).status().message(), dir.path() + ": " + std::strerror(EISDIR));
  EXPECT_EQ(WriteWholeFile(dir / "none/file", "x", Named).message(),
            (dir / "none/file.part") + ": " + std::strerror(ENOENT));
  BITWRIGHT_ASSERT_OK(WriteWholeFile(dir / "inside", "x", Named));
  EXPECT_FALSE(WriteWholeFile(dir.path(), "x", Named).ok()) << "a folder is in its place";
  struct stat info {};
  EXPECT_NE(::stat((dir.path() + ".part").c_str(), &info), 0) << "what could not be put there is taken away";
}

TEST(Files, ReadAtEndsShortOnlyAtTheEndOfTheFile) {
  const TempDir dir;
  BITWRIGHT_ASSERT_OK(WriteWholeFile(dir / "file", "0123456789", Named));
  const OwnedFd file(::open((dir / "file").c_str(), O_RDONLY));
  char buffer[8] = {};
  EXPECT_EQ(ReadAt(file.get(), 2, buffer, 4), 4);
  EXPECT_EQ(std::string_view(buffer, 4), "2345");
  EXPECT_EQ(ReadAt(file.get(), 7, buffer, 8), 3);
  EXPECT_EQ(ReadAt(file.get(), 10, buffer, 8), 0);
  EXPECT_EQ(ReadAt(-1, 0, buffer, 8), -1);
  EXPECT_EQ(WriteAll(file.get(), "x"), -1) << "open for reading only";
}

}  // namespace
}  // namespace bitwright
