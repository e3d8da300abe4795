#include "workers/agent/lane_memory.h"

#include <gtest/gtest.h>

namespace bitwright::worker {
namespace {

constexpr int64_t kMiB = int64_t{1} << 20;

TEST(LaneMemory, BothLanesTogetherTakeWhatTheWorkerMay) {
  EXPECT_EQ(SmallLaneBytes(2048 * kMiB), 512 * kMiB);
  EXPECT_EQ(SmallLaneBytes(64 * 1024 * kMiB), 1024 * kMiB);
  EXPECT_EQ(AnnouncedBytes(64 * 1024 * kMiB), 63 * 1024 * kMiB);
}

TEST(LaneMemory, NobodyAnnouncesMoreThanHeMayTake) {
  for (int64_t all = kMiB; all < (int64_t{1} << 50); all = all * 5 / 3) {
    EXPECT_LE(AnnouncedBytes(all), all);
    EXPECT_GT(AnnouncedBytes(all), all / 2);
  }
}

}  // namespace
}  // namespace bitwright::worker
