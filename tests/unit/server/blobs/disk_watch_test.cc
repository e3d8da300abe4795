#include "server/blobs/disk_watch.h"

#include "server/blobs/blob_errors.h"
#include "tests/support/fixtures.h"
#include "tests/support/status_matchers.h"

namespace bitwright::server {
namespace {

using ::testing::HasSubstr;

class DiskWatchTest : public ::testing::Test {
 protected:
  DiskWatch::State After(int64_t free) {
    free_ = free;
    watch_.Look();
    return watch_.state();
  }

  int64_t free_ = 1000;
  bool broken_ = false;
  DiskWatch watch_{[this]() -> absl::StatusOr<DiskSpace> {
                     if (broken_) return BlobUnreadableError("data", EIO);
                     return DiskSpace{.free_bytes = free_, .total_bytes = 10000};
                   },
                   Watermark{.bytes = 200}, Watermark{.bytes = 100}};
};

TEST_F(DiskWatchTest, PausesWorkBelowTheFirstMarkAndUploadsBelowTheSecond) {
  EXPECT_TRUE(watch_.accepts_work());
  EXPECT_EQ(After(199), DiskWatch::State::kLow);
  EXPECT_FALSE(watch_.accepts_work());
  BITWRIGHT_EXPECT_OK(watch_.CheckUpload());
  EXPECT_EQ(After(99), DiskWatch::State::kFull);
  EXPECT_FALSE(watch_.accepts_work());
  const absl::Status full = watch_.CheckUpload();
  EXPECT_THAT(full, HasReason("DISK_FULL"));
  EXPECT_THAT(full, StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_THAT(std::string(full.message()), HasSubstr("99 bytes free, less than the limit of 100 (--disk-full); make"));
  EXPECT_EQ(watch_.free_bytes(), 99);
}

TEST_F(DiskWatchTest, NeedsATenthMoreToGoOn) {
  After(99);
  EXPECT_EQ(After(109), DiskWatch::State::kFull);
  EXPECT_EQ(After(110), DiskWatch::State::kLow);
  EXPECT_EQ(After(105), DiskWatch::State::kLow) << "left for good until the mark itself is passed";
  EXPECT_EQ(After(219), DiskWatch::State::kLow);
  EXPECT_EQ(After(220), DiskWatch::State::kRoomy);
  EXPECT_EQ(After(200), DiskWatch::State::kRoomy);
}

TEST_F(DiskWatchTest, LogsEachChangeOnce) {
  ::testing::internal::CaptureStderr();
  for (const int free : {150, 149, 50, 49, 1000, 1000}) After(free);
  const std::string log = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(std::count(log.begin(), log.end(), '\n'), 3) << log;
  EXPECT_THAT(log, HasSubstr("nothing new is leased; make room free_bytes=150 low_bytes=200 full_bytes=100"));
}

TEST_F(DiskWatchTest, KeepsItsStateWhileTheDiskCannotBeAsked) {
  After(50);
  broken_ = true;
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(After(1000), DiskWatch::State::kFull);
  EXPECT_EQ(After(1000), DiskWatch::State::kFull);
  const std::string log = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(std::count(log.begin(), log.end(), '\n'), 1) << log;
  broken_ = false;
  EXPECT_EQ(After(1000), DiskWatch::State::kRoomy);
}

TEST(Watermark, IsTheSmallerOfBytesAndPart) {
  EXPECT_EQ((Watermark{.bytes = 100, .fraction = 0.05}.BytesOf(10000)), 100);
  EXPECT_EQ((Watermark{.bytes = 1000, .fraction = 0.05}.BytesOf(10000)), 500);
  EXPECT_EQ(Watermark{.bytes = 1000}.BytesOf(10), 1000);
  EXPECT_EQ(Watermark{.fraction = 0.5}.BytesOf(10), 5);
  EXPECT_EQ(Watermark{}.BytesOf(10), 0) << "off";
}

TEST(DiskProbe, AsksTheFileSystemOfAFolder) {
  TempDir dir;
  ASSERT_OK_AND_ASSIGN(const DiskSpace space, ProbeFolder(dir.path())());
  EXPECT_GT(space.total_bytes, 0);
  EXPECT_LE(space.free_bytes, space.total_bytes);
  EXPECT_THAT(ProbeFolder(dir / "none")(), HasReason("BLOB_UNREADABLE"));
}

}  // namespace
}  // namespace bitwright::server
