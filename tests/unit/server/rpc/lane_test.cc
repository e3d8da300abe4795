#include "server/rpc/lane.h"

#include <atomic>

#include "absl/synchronization/notification.h"
#include "tests/support/status_matchers.h"

namespace bitwright::server {
namespace {

using ::testing::HasSubstr;

TEST(Lane, RunsWhatWasPostedBeforeItEnds) {
  Metrics metrics;
  std::atomic<int> ran{0};
  {
    Lane lane({.name = "test", .threads = 3}, metrics);
    for (int i = 0; i < 1000; ++i) lane.Post([&] { ++ran; });
  }
  EXPECT_EQ(ran, 1000);
}

TEST(Lane, RefusesCallsWhenItsQueueIsFullAndTakesThemAgain) {
  Metrics metrics;
  Lane lane({.name = "test", .threads = 1, .most_waiting = 2}, metrics);
  absl::Notification entered;
  absl::Notification go;
  BITWRIGHT_ASSERT_OK(lane.Admit([&] {
    entered.Notify();
    go.WaitForNotification();
  }));
  entered.WaitForNotification();
  absl::Notification second;
  absl::Notification third;
  BITWRIGHT_EXPECT_OK(lane.Admit([&] { second.Notify(); }));
  BITWRIGHT_EXPECT_OK(lane.Admit([] {}));
  EXPECT_THAT(metrics.Text(), HasSubstr("bitwright_lane_depth{lane=\"test\"} 2"));
  const absl::Status full = lane.Admit([] { FAIL() << "refused steps do not run"; });
  EXPECT_THAT(full, HasReason("LANE_FULL"));
  EXPECT_THAT(full, StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_THAT(std::string(full.message()), HasSubstr("'test' has 2 waiting calls, its limit; try again"));
  EXPECT_THAT(metrics.Text(), HasSubstr("bitwright_lane_refusals_total{lane=\"test\"} 1"));
  lane.Post([&] { third.Notify(); });  // a later step of a call that was admitted
  go.Notify();
  second.WaitForNotification();
  third.WaitForNotification();
  EXPECT_THAT(metrics.Text(), HasSubstr("bitwright_lane_depth{lane=\"test\"} 0"));
  BITWRIGHT_EXPECT_OK(lane.Admit([] {}));
}

TEST(Lane, BoundsItsOpenStreams) {
  Metrics metrics;
  Lane lane({.name = "test", .most_streams = 2}, metrics);
  BITWRIGHT_EXPECT_OK(lane.OpenStream());
  BITWRIGHT_EXPECT_OK(lane.OpenStream());
  EXPECT_THAT(lane.OpenStream(), HasReason("LANE_FULL"));
  lane.CloseStream();
  BITWRIGHT_EXPECT_OK(lane.OpenStream());
}

}  // namespace
}  // namespace bitwright::server
