#include "client/api/retry_policy.h"

#include "tests/support/status_matchers.h"
#include "tests/unit/client/api/test_clock.h"

namespace bitwright::client {
namespace {

using std::chrono::milliseconds;

TEST(RetryPolicy, DelayGrowsUpToTheLongest) {
  const RetryPolicy policy{.first = milliseconds(50), .growth = 2, .longest = milliseconds(300)};
  EXPECT_EQ(policy.Delay(0, 0), milliseconds(50));
  EXPECT_EQ(policy.Delay(1, 0), milliseconds(100));
  EXPECT_EQ(policy.Delay(3, 0), milliseconds(300));
  EXPECT_EQ(policy.Delay(1000000, 0), milliseconds(300));
  EXPECT_EQ(policy.Delay(0, 0.5), std::chrono::microseconds(37500));
}

TEST(RetryLoop, OnlyUnavailableIsTriedAgain) {
  TestClock clock;
  CancelToken cancel;
  RetryLoop retry({}, clock, cancel);
  EXPECT_THAT(retry.WaitAfter(absl::UnavailableError("x")), IsOk());
  for (const absl::Status& status : {absl::NotFoundError("x"), absl::InternalError("x"), absl::DataLossError("x")}) {
    EXPECT_EQ(retry.WaitAfter(status), status);
  }
  EXPECT_EQ(clock.sleeps().size(), 1u);
}

TEST(RetryLoop, GivesUpAtItsDeadlineWithTheLastError) {
  TestClock clock;
  CancelToken cancel;
  RetryLoop retry({.give_up = milliseconds(1000)}, clock, cancel);
  absl::Status status;
  for (int i = 0; i < 1000 && status.ok(); ++i) status = retry.WaitAfter(absl::UnavailableError("down"));
  EXPECT_EQ(status, absl::UnavailableError("down"));
  EXPECT_LE(clock.Now().time_since_epoch(), milliseconds(1000));
  EXPECT_GE(clock.sleeps().size(), 4u);
}

TEST(RetryLoop, ProgressBeginsAgain) {
  TestClock clock;
  CancelToken cancel;
  RetryLoop retry({.give_up = milliseconds(300)}, clock, cancel);
  for (int i = 0; i < 100; ++i) {
    ASSERT_THAT(retry.WaitAfter(absl::UnavailableError("x")), IsOk());
    retry.Progressed();
  }
  for (const auto sleep : clock.sleeps()) EXPECT_LE(sleep, milliseconds(50));
}

TEST(RetryLoop, CancelEndsIt) {
  TestClock clock;
  CancelToken cancel;
  RetryLoop retry({}, clock, cancel);
  cancel.Cancel();
  EXPECT_THAT(retry.WaitAfter(absl::UnavailableError("x")), HasReason("INTERRUPTED"));
}

TEST(CancelToken, CallbackRunsOnceEvenWhenLate) {
  CancelToken cancel;
  int early = 0;
  int late = 0;
  int gone = 0;
  {
    const CancelToken::Registration registration(cancel, [&] { ++gone; });
  }
  const CancelToken::Registration first(cancel, [&] { ++early; });
  cancel.Cancel();
  cancel.Cancel();
  const CancelToken::Registration second(cancel, [&] { ++late; });
  EXPECT_EQ(early, 1);
  EXPECT_EQ(late, 1);
  EXPECT_EQ(gone, 0);
  EXPECT_TRUE(cancel.WaitFor(absl::Hours(1)));
}

}  // namespace
}  // namespace bitwright::client
