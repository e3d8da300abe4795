#include "workers/agent/blob_client.h"

#include <grpcpp/grpcpp.h>
#include <unistd.h>

#include <filesystem>

#include "tests/support/fixtures.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/workers/agent/fake_server.h"
#include "workers/base/files.h"

namespace bitwright::worker {
namespace {

using ::testing::ElementsAre;

class BlobClientTest : public ::testing::Test {
 protected:
  absl::Status Upload(const FileToUpload& file) { return client_.Upload({&file, 1}, stop_); }
  FileToUpload File(const std::string& name, const std::string& bytes) {
    EXPECT_THAT(WriteFile(dir_ / name, bytes), IsOk());
    return {DigestOf(bytes), dir_ / name};
  }
  absl::Status Download(const v1::Digest& digest) {
    const BlobDigest whole = *FromProto(digest);
    return client_.Download({whole, 0, whole}, dir_ / "blob", stop_);
  }

  TempDir dir_;
  FakeServer server_;
  BlobClient client_{grpc::CreateChannel(server_.address(), grpc::InsecureChannelCredentials())};
  CancelToken stop_;
  const std::string large_ = std::string(3'000'000, 'x') + "end";
};

TEST_F(BlobClientTest, UploadsOnlyWhatIsMissing) {
  server_.Put("held");
  const std::vector<FileToUpload> files = {File("a", "held"), File("b", large_), File("c", ""), File("d", large_)};
  EXPECT_THAT(client_.Upload(files, stop_), IsOk());
  EXPECT_EQ(server_.Get(files[1].digest.sha256), large_);
  EXPECT_EQ(server_.seen().write_offsets.size(), 2);
}

TEST_F(BlobClientTest, UploadGoesOnWhereItBroke) {
  server_.SetFaults([](auto& faults) { faults.break_write_after = 2'000'000; });
  const FileToUpload file = File("a", large_);
  EXPECT_THAT(Upload(file), IsOk());
  EXPECT_EQ(server_.Get(file.digest.sha256), large_);
  EXPECT_THAT(server_.seen().write_offsets, ElementsAre(0, 2 << 20));
}

TEST_F(BlobClientTest, UploadRefusesLinksAndChangedFiles) {
  File("a", "bytes");
  ASSERT_EQ(::symlink((dir_ / "a").c_str(), (dir_ / "link").c_str()), 0);
  EXPECT_THAT(Upload({DigestOf("bytes"), dir_ / "link"}), HasReason("OUTPUT_UNUSABLE"));
  EXPECT_THAT(Upload({DigestOf("other bytes"), dir_ / "a"}), HasReason("OUTPUT_UNUSABLE"));
  EXPECT_THAT(Upload({DigestOf("bytes"), dir_ / "none"}), HasReason("OUTPUT_UNUSABLE"));
}

TEST_F(BlobClientTest, DownloadGoesOnWhereItBroke) {
  const v1::Digest digest = server_.Put(large_);
  server_.SetFaults([](auto& faults) { faults.break_read_after = 1'500'000; });
  EXPECT_THAT(Download(digest), IsOk());
  EXPECT_EQ(*ReadFile(dir_ / "blob"), large_);
  const auto offsets = server_.seen().read_offsets;
  ASSERT_EQ(offsets.size(), 2);
  EXPECT_EQ(offsets[0], 0);
  EXPECT_GT(offsets[1], 0);
}

TEST_F(BlobClientTest, DownloadTakesUpAnEarlierPart) {
  const v1::Digest digest = server_.Put(large_);
  ASSERT_THAT(WriteFile(dir_ / "blob.part", large_.substr(0, 1'000'000)), IsOk());
  EXPECT_THAT(Download(digest), IsOk());
  EXPECT_EQ(*ReadFile(dir_ / "blob"), large_);
  EXPECT_THAT(server_.seen().read_offsets, ElementsAre(1'000'000));
}

TEST_F(BlobClientTest, DownloadOfOtherBytesLeavesNothing) {
  const v1::Digest digest = server_.Put("some bytes");
  server_.SetFaults([](auto& faults) { faults.corrupt_reads = true; });
  EXPECT_THAT(Download(digest), HasReason("BLOB_DIGEST_MISMATCH"));
  EXPECT_TRUE(std::filesystem::is_empty(dir_.path()));
}

TEST_F(BlobClientTest, MissingBlobIsNotTriedAgain) {
  EXPECT_THAT(Download(ToProto(DigestOf("nowhere"))), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_EQ(server_.seen().read_offsets.size(), 1);
}

TEST_F(BlobClientTest, StopEndsATransfer) {
  stop_.Cancel();
  EXPECT_THAT(Download(server_.Put(large_)), HasReason("INTERRUPTED"));
  EXPECT_THAT(Upload(File("a", large_ + "2")), HasReason("INTERRUPTED"));
}

}  // namespace
}  // namespace bitwright::worker
