#include "proto/transfer/local_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>

#include "tests/support/fixtures.h"
#include "tests/support/status_matchers.h"

namespace bitwright {
namespace {

using Links = LocalFile::Links;

absl::Status Unreadable(const std::string&, int error) {
  return MakeError(absl::StatusCode::kFailedPrecondition, "FILE_UNREADABLE", std::strerror(error));
}
absl::Status Shrank(const std::string&, int64_t) {
  return MakeError(absl::StatusCode::kFailedPrecondition, "FILE_CHANGED", "shrank");
}
constexpr LocalFileErrors kErrors{Unreadable, Shrank};

class LocalFileTest : public ::testing::Test {
 protected:
  LocalFileTest() { std::ofstream(path_) << "some bytes"; }
  std::string MessageOf(const std::string& path, Links links = Links::kFollow) {
    return std::string(LocalFile::Open(path, kErrors, links).status().message());
  }

  TempDir dir_;
  const std::string path_ = dir_ / "file";
};

TEST_F(LocalFileTest, ReadsAndHashes) {
  ASSERT_OK_AND_ASSIGN(const LocalFile file, LocalFile::Open(path_, kErrors));
  EXPECT_EQ(file.size_bytes(), 10);
  std::string bytes(5, '\0');
  EXPECT_THAT(file.Read(5, bytes.data(), 5), IsOk());
  EXPECT_EQ(bytes, "bytes");
  Sha256 hash;
  int64_t told = 0;
  CancelToken cancel;
  EXPECT_THAT(file.HashTo(hash, cancel, [&](int64_t bytes) { told += bytes; }), IsOk());
  EXPECT_EQ(hash.Finish(), Sha256Hex("some bytes"));
  EXPECT_EQ(told, 10);
  cancel.Cancel();
  EXPECT_THAT(file.HashTo(hash, cancel), HasReason("INTERRUPTED"));
}

TEST_F(LocalFileTest, OnlyPlainFiles) {
  ASSERT_EQ(::mkfifo((dir_ / "pipe").c_str(), 0600), 0);
  EXPECT_EQ(MessageOf(dir_ / "none"), std::strerror(ENOENT));
  EXPECT_EQ(MessageOf(dir_.path()), std::strerror(EISDIR));
  EXPECT_EQ(MessageOf(dir_ / "pipe"), std::strerror(EINVAL));
}

TEST_F(LocalFileTest, LinksAreRefusedOnDemand) {
  std::filesystem::create_symlink(path_, dir_ / "link");
  EXPECT_THAT(LocalFile::Open(dir_ / "link", kErrors), IsOk());
  EXPECT_EQ(MessageOf(dir_ / "link", Links::kRefuse), std::strerror(ELOOP));
  EXPECT_THAT(LocalFile::Open(path_, kErrors, Links::kRefuse), IsOk());
}

TEST_F(LocalFileTest, ShorterThanItWasIsSaid) {
  ASSERT_OK_AND_ASSIGN(const LocalFile file, LocalFile::Open(path_, kErrors));
  ASSERT_EQ(::truncate(path_.c_str(), 7), 0);
  char bytes[10];
  EXPECT_THAT(file.Read(0, bytes, 10), HasReason("FILE_CHANGED"));
}

}  // namespace
}  // namespace bitwright
