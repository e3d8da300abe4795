#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>

#include "proto/base/status_macros.h"
#include "proto/transfer/blob_download.h"
#include "proto/transfer/blob_upload.h"
#include "proto/transfer/missing_blobs.h"
#include "tests/support/fixtures.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/client/fake/fake_service.h"
#include "tests/unit/proto/transfer/test_clock.h"

namespace bitwright {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

absl::Status Failed(const std::string& path, int error) {
  return MakeError(absl::StatusCode::kFailedPrecondition, "FILE_FAILED", path + ": " + std::strerror(error));
}
absl::Status Shrank(const std::string& path, int64_t) { return Failed(path, EIO); }
absl::Status Corrupt(const std::string& part_path, const BlobDigest&) {
  return MakeError(absl::StatusCode::kDataLoss, "BLOB_DIGEST_MISMATCH", part_path);
}

// A service that breaks on demand, and both ends of a transfer. Each test runs with the policy that it is about.
class Transfer : public ::testing::Test {
 protected:
  Transfer() {
    for (int i = 0; i < 3'000'000; ++i) large_ += static_cast<char>(i * 2654435761u >> 13);
  }
  TransferContext Context(const TransferPolicy& policy = kClientTransfers) {
    return {grpc::CreateChannel(service_.address(), grpc::InsecureChannelCredentials()), clock_, cancel_, policy};
  }
  std::string Write(const std::string& name, const std::string& bytes) {
    EXPECT_THAT(WriteWholeFile(dir_ / name, bytes, Failed), IsOk());
    return dir_ / name;
  }
  absl::Status Upload(const std::string& bytes, const UploadOptions& options = {},
                      const TransferPolicy& policy = kClientTransfers) {
    ABSL_ASSIGN_OR_RETURN(const LocalFile file, LocalFile::Open(Write("file", bytes), {Failed, Shrank}));
    return UploadBlob(Context(policy), file, DigestOf(bytes), options);
  }
  BlobDigest Put(const std::string& bytes) {
    service_.blobs[DigestOf(bytes).ToString()] = bytes;
    return DigestOf(bytes);
  }
  absl::Status Download(const BlobDigest& digest, const TransferPolicy& policy = kClientTransfers) {
    told_ = 0;
    return DownloadBlob(Context(policy), digest, dir_ / "blob",
                        {.unwritable = Failed, .corrupt = Corrupt, .on_bytes = [&](int64_t n) { told_ += n; }});
  }
  std::string Held() { return *ReadWholeFile(dir_ / "blob", Failed); }
  std::string AtServer(const std::string& bytes) { return service_.blobs[DigestOf(bytes).ToString()]; }

  TempDir dir_;
  TestClock clock_;
  CancelToken cancel_;
  client::FakeService service_;
  std::string large_;
  int64_t told_ = 0;
};

TEST_F(Transfer, FindsWhatIsMissing) {
  Put("held");
  const std::vector<FileToUpload> files = {
      {DigestOf("held"), "a"}, {DigestOf("x"), "b"}, {DigestOf(""), "c"}, {DigestOf("x"), "d"}};
  ASSERT_OK_AND_ASSIGN(const auto missing, FindMissingFiles(Context(), files));
  ASSERT_EQ(missing.size(), 2u);
  EXPECT_EQ(missing[0].path, "b");
  EXPECT_EQ(missing[1].path, "c");
  ASSERT_OK_AND_ASSIGN(const auto none, FindMissingFiles(Context(), {}));
  EXPECT_TRUE(none.empty());
}

TEST_F(Transfer, UploadGoesOnWhereItBroke) {
  service_.plan.break_writes_after = {2 << 20};
  std::vector<int64_t> committed;
  EXPECT_THAT(Upload(large_, {.on_committed = [&](int64_t bytes) { committed.push_back(bytes); }}), IsOk());
  EXPECT_EQ(AtServer(large_), large_);
  EXPECT_THAT(service_.seen.write_offsets, ElementsAre(0, 2 << 20));
  EXPECT_EQ(committed.back(), 3'000'000);
}

TEST_F(Transfer, EmptyBlobIsUploaded) {
  EXPECT_THAT(Upload(""), IsOk());
  EXPECT_TRUE(service_.blobs.contains(DigestOf("").ToString()));
}

TEST_F(Transfer, UploadThatAnotherClientCompletesEndsEarly) {
  service_.plan.blobs_arrive = true;
  EXPECT_THAT(Upload(large_), IsOk());
  EXPECT_EQ(service_.seen.write_names.size(), 1u);
}

TEST_F(Transfer, BrokenUploadThatAnotherClientCompletedIsDone) {
  Put(large_);
  service_.plan.break_writes_after = {1 << 20};
  EXPECT_THAT(Upload(large_), IsOk());
  EXPECT_EQ(service_.seen.write_names.size(), 1u);
}

TEST_F(Transfer, LaterCallWithTheSameIdContinues) {
  const std::string bytes = large_ + large_;
  service_.plan.break_writes_after = {2 << 20};
  TransferPolicy impatient = kClientTransfers;
  impatient.retry.give_up = absl::ZeroDuration();
  EXPECT_THAT(Upload(bytes, {.id = "one"}, impatient), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(Upload(bytes, {.id = "one"}), IsOk());
  EXPECT_THAT(service_.seen.write_offsets, ElementsAre(0, 2 << 20));
}

TEST_F(Transfer, RefusedIdIsLeftForARandomOneOnce) {
  service_.plan.busy_uploads = true;
  EXPECT_THAT(Upload(large_, {.id = "one"}), IsOk());
  ASSERT_EQ(service_.seen.write_names.size(), 2u);
  EXPECT_NE(service_.seen.write_names[0], service_.seen.write_names[1]);
  service_.plan.busy_uploads = true;
  EXPECT_THAT(Upload(large_ + "x"), StatusIs(absl::StatusCode::kInvalidArgument)) << "a random id is not left";
}

TEST_F(Transfer, DownloadGoesOnWhereItBroke) {
  const BlobDigest digest = Put(large_);
  service_.plan.break_reads_after = {1'500'000};
  EXPECT_THAT(Download(digest), IsOk());
  EXPECT_EQ(Held(), large_);
  EXPECT_THAT(service_.seen.read_offsets, ElementsAre(0, 1'500'000));
  EXPECT_EQ(told_, 3'000'000);
  EXPECT_FALSE(fs::exists(dir_ / "blob.part"));
}

TEST_F(Transfer, DownloadTakesUpAnEarlierPart) {
  const BlobDigest digest = Put(large_);
  Write("blob.part", large_.substr(0, 1'000'000));
  EXPECT_THAT(Download(digest), IsOk());
  EXPECT_EQ(Held(), large_);
  EXPECT_THAT(service_.seen.read_offsets, ElementsAre(1'000'000));
}

TEST_F(Transfer, PartWithOtherBytesIsDownloadedAgain) {
  const BlobDigest digest = Put(large_);
  for (const size_t size : {size_t{100}, large_.size(), large_.size() + 5}) {
    Write("blob.part", std::string(size, 'x'));
    EXPECT_THAT(Download(digest), IsOk()) << size;
    EXPECT_EQ(Held(), large_);
    EXPECT_EQ(told_, 3'000'000);
  }
}

TEST_F(Transfer, DownloadOfOtherBytesLeavesNothing) {
  const BlobDigest digest = Put("some bytes");
  service_.plan.corrupt_reads = 100;
  Write("blob.part", "so");
  EXPECT_THAT(Download(digest), HasReason("BLOB_DIGEST_MISMATCH"));
  EXPECT_TRUE(fs::is_empty(dir_.path()));
  EXPECT_EQ(told_, 0);
  EXPECT_THAT(service_.seen.read_offsets, ElementsAre(2, 0)) << "from the start once, then no more";
}

TEST_F(Transfer, MissingBlobIsNotTriedAgain) {
  EXPECT_THAT(Download(DigestOf("nowhere"), kWorkerTransfers), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(clock_.sleeps(), IsEmpty());
}

TEST_F(Transfer, DiskErrorsAreFinal) {
  const BlobDigest digest = Put("x");
  fs::create_directory(dir_ / "blob.part");
  EXPECT_THAT(Download(digest, kWorkerTransfers), HasReason("FILE_FAILED"));
  EXPECT_THAT(clock_.sleeps(), IsEmpty());
}

TEST_F(Transfer, WorkerGivesUpAfterAttemptsWithoutProgress) {
  const BlobDigest digest = Put("x");
  service_.plan.break_reads_after = std::deque<int64_t>(100, 0);
  EXPECT_THAT(Download(digest, kWorkerTransfers), HasReason("TRANSFER_STALLED"));
  EXPECT_EQ(clock_.sleeps().size(), 7u);
  service_.plan.break_writes_after = std::deque<int64_t>(100, 0);
  EXPECT_THAT(Upload("y", {}, kWorkerTransfers), HasReason("TRANSFER_STALLED"));
}

TEST_F(Transfer, ClientGivesUpInTimeWithTheLastError) {
  const BlobDigest digest = Put("x");
  service_.plan.break_reads_after = std::deque<int64_t>(1000, 0);
  const absl::Status status = Download(digest);
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_EQ(status.message(), "broken off by the test");
  EXPECT_LE(clock_.slept(), kClientRetries.give_up);
}

TEST_F(Transfer, CancelEndsEveryTransfer) {
  const BlobDigest digest = Put(large_);
  cancel_.Cancel();
  const std::vector<FileToUpload> files = {{DigestOf("x"), "x"}};
  EXPECT_THAT(Download(digest), HasReason("INTERRUPTED"));
  EXPECT_THAT(Upload(large_ + "2"), HasReason("INTERRUPTED"));
  EXPECT_THAT(FindMissingFiles(Context(), files), HasReason("INTERRUPTED"));
}

TEST_F(Transfer, APartOfABlob) {
  const BlobDigest blob = Put(large_);
  const BlobPart part{blob, 8192, DigestOf(large_.substr(8192, 100'000))};
  service_.plan.break_reads_after = {50'000};
  BITWRIGHT_ASSERT_OK(DownloadPart(Context(), part, dir_ / "blob", {.unwritable = Failed, .corrupt = Corrupt}));
  EXPECT_EQ(Held(), large_.substr(8192, 100'000));
  EXPECT_THAT(service_.seen.read_offsets, ElementsAre(8192, 8192 + 50'000)) << "goes on within the part";

  // Bytes that are another part's are not taken for it, and are not kept.
  const BlobPart wrong{blob, 4096, part.bytes};
  EXPECT_THAT(DownloadPart(Context(), wrong, dir_ / "other", {.unwritable = Failed, .corrupt = Corrupt}),
              HasReason("BLOB_DIGEST_MISMATCH"));
  EXPECT_FALSE(fs::exists(dir_ / "other"));
  EXPECT_FALSE(fs::exists(dir_ / "other.part"));
}

}  // namespace
}  // namespace bitwright
