#include "server/blobs/disk_blobs.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "tests/support/fixtures.h"
#include "tests/support/status_matchers.h"

namespace bitwright::server {
namespace {

class DiskBlobsTest : public ::testing::Test {
 protected:
  DiskBlobsTest() {
    blobs_ = *OpenDiskBlobs(dir_.path(), [this](std::string_view operation, const std::string& path) {
      operations_.push_back(std::string(operation) + " " + path.substr(std::min(path.size(), dir_.path().size())));
      return !failing_.empty() && operations_.back().starts_with(failing_) ? error_ : 0;
    });
  }

  absl::Status Put(const std::string& uuid, const BlobDigest& digest, std::string_view bytes) {
    auto upload = blobs_->StartUpload({uuid, digest});
    if (!upload.ok()) return upload.status();
    absl::Status status = (*upload)->AppendCopied(bytes);
    if (status.ok()) status = (*upload)->Prepare();
    return status.ok() ? (*upload)->Publish() : status;
  }

  TempDir dir_;
  std::string failing_;
  int error_ = ENOSPC;
  std::vector<std::string> operations_;
  std::unique_ptr<BlobStore> blobs_;
};

TEST_F(DiskBlobsTest, PublishesByRenameAfterFsyncAndSyncsEveryNewFolder) {
  EXPECT_EQ(operations_, (std::vector<std::string>{"fsync ", "fsync ", "fsync ", "fsync /blobs"}))
      << "blobs/ and uploads/ are new, and a crash before may have left others";
  operations_.clear();
  const BlobDigest digest = DigestOf("bytes");
  BITWRIGHT_ASSERT_OK(Put("u", digest, "bytes"));
  const std::string partial = "/uploads/u." + digest.sha256 + ".5";
  const std::string folder = "/blobs/" + digest.sha256.substr(0, 2);
  const std::vector<std::string> steps = {"write " + partial, "fsync " + partial, "fsync /blobs",
                                          "rename " + folder + "/" + digest.sha256, "fsync " + folder};
  EXPECT_EQ(operations_, steps);
  EXPECT_TRUE(blobs_->Has(digest));
  EXPECT_FALSE(blobs_->Has({digest.sha256, 4}));
  EXPECT_TRUE(std::filesystem::exists(dir_ / ("blobs/" + digest.sha256.substr(0, 2) + "/" + digest.sha256)));
  EXPECT_EQ(blobs_->List()->size(), 1u);
  BITWRIGHT_ASSERT_OK(blobs_->Remove(digest));
  BITWRIGHT_ASSERT_OK(blobs_->Remove(digest)) << "again";
  EXPECT_THAT(blobs_->Open(digest), HasReason("BLOB_NOT_FOUND"));
}

TEST_F(DiskBlobsTest, EveryStepCanFindTheDiskFull) {
  const BlobDigest digest = DigestOf("bytes");
  for (const char* step : {"write", "fsync", "rename"}) {
    failing_ = step;
    EXPECT_THAT(Put("u", digest, "bytes"), HasReason("DISK_FULL")) << step;
    EXPECT_FALSE(blobs_->Has(digest)) << step;
    EXPECT_TRUE(std::filesystem::is_empty(dir_ / "uploads")) << step;
  }
  error_ = EIO;
  EXPECT_THAT(Put("u", digest, "bytes"), HasReason("BLOB_UNWRITABLE"));
  failing_ = "";
  BITWRIGHT_EXPECT_OK(Put("u", digest, "bytes"));
}

TEST_F(DiskBlobsTest, AFolderWhoseEntryDidNotReachTheDiskIsMadeAgain) {
  const BlobDigest digest = DigestOf("bytes");
  failing_ = "fsync /blobs";
  EXPECT_THAT(Put("u", digest, "bytes"), HasReason("DISK_FULL"));
  EXPECT_FALSE(std::filesystem::exists(dir_ / ("blobs/" + digest.sha256.substr(0, 2))));
  failing_ = "";
  operations_.clear();
  BITWRIGHT_ASSERT_OK(Put("u", digest, "bytes"));
  EXPECT_THAT(operations_, ::testing::Contains("fsync /blobs"));
}

TEST_F(DiskBlobsTest, WhatABrokenUploadLeftIsHashedInPieces) {
  const std::string data(3'000'000, 'x');
  const BlobDigest digest = DigestOf(data);
  BITWRIGHT_ASSERT_OK((*blobs_->StartUpload({"u", digest}))->AppendCopied(data));
  auto upload = *blobs_->StartUpload({"u", digest});
  EXPECT_EQ(upload->committed(), 3'000'000);
  EXPECT_FALSE(*upload->HashMore(2'000'000));
  EXPECT_TRUE(*upload->HashMore(2'000'000));
  BITWRIGHT_ASSERT_OK(upload->Prepare());
  BITWRIGHT_ASSERT_OK(upload->Publish());
}

TEST_F(DiskBlobsTest, UploadsWithoutBytesLeaveNothing) {
  const BlobDigest digest = DigestOf("bytes");
  (*blobs_->StartUpload({"u", digest})).reset();
  EXPECT_TRUE(std::filesystem::is_empty(dir_ / "uploads"));
  EXPECT_THAT(blobs_->UploadedBytes({"u", digest}), HasReason("UPLOAD_UNKNOWN"));
}

TEST_F(DiskBlobsTest, WhatIsLeftOverCountsAfterARestart) {
  const BlobDigest digest = DigestOf("bytes");
  BITWRIGHT_ASSERT_OK((*blobs_->StartUpload({"u", digest}))->AppendCopied("byt"));
  const auto again = *OpenDiskBlobs(dir_.path(), nullptr, {.most_bytes = 7});
  EXPECT_THAT(again->StartUpload({"v", digest}), HasReason("UPLOADS_FULL"));
  BITWRIGHT_EXPECT_OK(again->StartUpload({"u", digest}));
}

TEST_F(DiskBlobsTest, AnUploadHasOneWriterAndGoesOnAfterIt) {
  const BlobDigest digest = DigestOf("bytes");
  {
    auto first = blobs_->StartUpload({"u", digest});
    BITWRIGHT_ASSERT_OK(first);
    BITWRIGHT_ASSERT_OK((*first)->AppendCopied("by"));
    EXPECT_THAT(blobs_->StartUpload({"u", digest}), HasReason("UPLOAD_BUSY"));
    BITWRIGHT_EXPECT_OK(blobs_->StartUpload({"v", digest}));
  }
  EXPECT_EQ(*blobs_->UploadedBytes({"u", digest}), 2);
  auto second = blobs_->StartUpload({"u", digest});
  BITWRIGHT_ASSERT_OK(second);
  EXPECT_EQ((*second)->committed(), 2);
  BITWRIGHT_ASSERT_OK((*second)->AppendCopied("tes"));
  BITWRIGHT_ASSERT_OK((*second)->Prepare());
}

TEST_F(DiskBlobsTest, BytesThatWentBadOnDiskAreFoundOnResume) {
  const BlobDigest digest = DigestOf("bytes");
  (*blobs_->StartUpload({"u", digest}))->AppendCopied("by").IgnoreError();
  std::ofstream(dir_ / ("uploads/u." + digest.sha256 + ".5")) << "xx";
  auto upload = blobs_->StartUpload({"u", digest});
  BITWRIGHT_ASSERT_OK((*upload)->AppendCopied("tes"));
  EXPECT_THAT((*upload)->Prepare(), HasReason("BLOB_DIGEST_MISMATCH"));
}

TEST_F(DiskBlobsTest, StaleUploadsGoUnlessBeingWritten) {
  const BlobDigest digest = DigestOf("bytes");
  (*blobs_->StartUpload({"old", digest}))->AppendCopied("by").IgnoreError();
  auto open = *blobs_->StartUpload({"open", digest});
  BITWRIGHT_ASSERT_OK(blobs_->DiscardStaleUploads(absl::Now() - absl::Hours(1)));
  EXPECT_EQ(*blobs_->UploadedBytes({"old", digest}), 2);
  BITWRIGHT_ASSERT_OK(blobs_->DiscardStaleUploads(absl::Now() + absl::Hours(1)));
  EXPECT_THAT(blobs_->UploadedBytes({"old", digest}), HasReason("UPLOAD_UNKNOWN"));
  BITWRIGHT_EXPECT_OK(blobs_->UploadedBytes({"open", digest}));
}

}  // namespace
}  // namespace bitwright::server
