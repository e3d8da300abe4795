#include "server/blobs/held_blobs.h"

#include "server/blobs/disk_blobs.h"
#include "server/store/sqlite_store.h"
#include "tests/support/fixtures.h"
#include "tests/support/status_matchers.h"

namespace bitwright::server {
namespace {

absl::Time At(int64_t micros) { return absl::FromUnixMicros(micros); }

class HeldBlobsTest : public ::testing::Test {
 protected:
  BlobDigest Put(const std::string& bytes, int64_t now) {
    const BlobDigest digest = DigestOf(bytes);
    auto upload = *blobs_->StartUpload({"u", digest});
    EXPECT_THAT(upload->AppendCopied(bytes), IsOk());
    EXPECT_THAT(held_.Publish({}, *upload, digest, At(now)), IsOk());
    return digest;
  }

  TempDir dir_;
  std::unique_ptr<BlobStore> blobs_ = *OpenDiskBlobs(dir_.path());
  std::unique_ptr<Store> store_ = *OpenSqliteStore(":memory:");
  HeldBlobs held_{*blobs_, *store_};
};

TEST_F(HeldBlobsTest, HeldMeansRowAndFile) {
  const BlobDigest digest = Put("x", 1);
  EXPECT_TRUE(*held_.Has({}, digest));
  EXPECT_EQ(held_.publications(), 1);
  BITWRIGHT_ASSERT_OK(blobs_->Remove(digest));
  EXPECT_FALSE(*held_.Has({}, digest));
  EXPECT_EQ(*held_.FindMissing({}, {digest, digest}, At(1)), std::vector<BlobDigest>{digest});
}

TEST_F(HeldBlobsTest, AskingIsAUse) {
  const BlobDigest digest = Put("x", 1);
  EXPECT_TRUE(held_.FindMissing({}, {digest}, At(50))->empty());
  EXPECT_FALSE(*held_.Collect(digest, At(50)));
  EXPECT_TRUE(*held_.Collect(digest, At(51)));
  EXPECT_FALSE(blobs_->Has(digest));
}

TEST_F(HeldBlobsTest, ReconcilesAfterACrash) {
  const BlobDigest lost = Put("lost", 1);
  BITWRIGHT_ASSERT_OK(blobs_->Remove(lost));
  const BlobDigest kept = Put("kept", 1);
  const BlobDigest unknown = DigestOf("published just before the crash");
  auto upload = *blobs_->StartUpload({"u", unknown});
  BITWRIGHT_ASSERT_OK(upload->AppendCopied("published just before the crash"));
  BITWRIGHT_ASSERT_OK(upload->Prepare());
  BITWRIGHT_ASSERT_OK(upload->Publish());
  BITWRIGHT_ASSERT_OK(held_.Reconcile(At(100)));
  EXPECT_TRUE(*held_.Has({}, kept));
  EXPECT_TRUE(*held_.Has({}, unknown));
  BITWRIGHT_EXPECT_OK(store_->Read([&](Snapshot& snapshot) {
    EXPECT_FALSE(*snapshot.HasBlob(lost));
    return absl::OkStatus();
  }));
  EXPECT_FALSE(*held_.Collect(unknown, At(100))) << "found at 100: its grace begins there";
}

TEST_F(HeldBlobsTest, ReadsSmallBlobsWhole) {
  EXPECT_EQ(*held_.ReadWhole(Put("whole", 1)), "whole");
  EXPECT_THAT(held_.ReadWhole(DigestOf("absent")), HasReason("BLOB_NOT_FOUND"));
  EXPECT_THAT(held_.ReadWhole({DigestOf("a").sha256, int64_t{1} << 30}), HasReason("LIMIT_EXCEEDED"));
}

}  // namespace
}  // namespace bitwright::server
