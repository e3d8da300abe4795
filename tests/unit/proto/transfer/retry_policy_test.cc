#include "proto/transfer/retry_policy.h"

#include "proto/base/errors.h"
#include "proto/contract/reasons.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/proto/transfer/test_clock.h"

namespace bitwright {
namespace {

using absl::Milliseconds;

TEST(RetryPolicy, DelayGrowsUpToTheLongest) {
  const RetryPolicy policy{.first = Milliseconds(50), .growth = 2, .longest = Milliseconds(300)};
  EXPECT_EQ(policy.Delay(0, 0), Milliseconds(50));
  EXPECT_EQ(policy.Delay(1, 0), Milliseconds(100));
  EXPECT_EQ(policy.Delay(3, 0), Milliseconds(300));
  EXPECT_EQ(policy.Delay(1000000, 0), Milliseconds(300));
  EXPECT_EQ(policy.Delay(0, 0.5), absl::Microseconds(37500));
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

TEST(RetryLoop, AFullQueueIsTriedAgainAndAFullDiskIsNot) {
  TestClock clock;
  CancelToken cancel;
  RetryLoop retry({}, clock, cancel);
  const auto exhausted = [](const char* reason) {
    return MakeError(absl::StatusCode::kResourceExhausted, reason, "full");
  };
  EXPECT_THAT(retry.WaitAfter(exhausted(Reason::kLaneFull)), IsOk());
  EXPECT_THAT(retry.WaitAfter(exhausted(Reason::kUploadsFull)), IsOk());
  EXPECT_THAT(retry.WaitAfter(exhausted(Reason::kDiskFull)), HasReason("DISK_FULL"));
  EXPECT_EQ(clock.sleeps().size(), 2u);
  RetryLoop patient({.waits_for_room = true}, clock, cancel);
  EXPECT_THAT(patient.WaitAfter(exhausted(Reason::kDiskFull)), IsOk()) << "unless the caller says that it may pass";
}

TEST(RetryLoop, GivesUpAtItsDeadlineWithTheLastError) {
  TestClock clock;
  CancelToken cancel;
  RetryLoop retry({.give_up = Milliseconds(1000)}, clock, cancel);
  absl::Status status;
  for (int i = 0; i < 1000 && status.ok(); ++i) status = retry.WaitAfter(absl::UnavailableError("down"));
  EXPECT_EQ(status, absl::UnavailableError("down"));
  EXPECT_LE(clock.slept(), Milliseconds(1000));
  EXPECT_GE(clock.sleeps().size(), 4u);
}

TEST(RetryLoop, ProgressBeginsAgain) {
  TestClock clock;
  CancelToken cancel;
  RetryLoop retry({.give_up = Milliseconds(300)}, clock, cancel);
  for (int i = 0; i < 100; ++i) {
    ASSERT_THAT(retry.WaitAfter(absl::UnavailableError("x")), IsOk());
    retry.Progressed();
  }
  for (const auto sleep : clock.sleeps()) EXPECT_LE(sleep, Milliseconds(50));
}

TEST(RetryLoop, WorkersTakeEveryBrokenCallForPassing) {
  TestClock clock;
  CancelToken cancel;
  RetryLoop retry(kWorkerRetries, clock, cancel);
  for (const absl::Status& status : {absl::UnavailableError("x"), absl::InternalError("x"), absl::UnknownError("x"),
                                     absl::DeadlineExceededError("x")}) {
    EXPECT_THAT(retry.WaitAfter(status), IsOk());
  }
  for (const absl::Status& status : {absl::NotFoundError("x"), absl::DataLossError("x")}) {
    EXPECT_EQ(retry.WaitAfter(status), status);
  }
  EXPECT_FALSE(retry.stalled());
}

TEST(RetryLoop, WorkersGiveUpAfterEightAttemptsWithoutProgress) {
  TestClock clock;
  CancelToken cancel;
  RetryLoop retry(kWorkerRetries, clock, cancel);
  EXPECT_THAT(retry.WaitAfter(absl::UnavailableError("down")), IsOk());
  retry.Progressed();
  for (int i = 0; i < 7; ++i) ASSERT_THAT(retry.WaitAfter(absl::UnavailableError("down")), IsOk()) << i;
  EXPECT_EQ(clock.sleeps()[1], Milliseconds(100));
  EXPECT_EQ(clock.sleeps()[2], Milliseconds(200));
  EXPECT_EQ(clock.sleeps().back(), absl::Seconds(5));
  EXPECT_EQ(retry.WaitAfter(absl::UnavailableError("down")), absl::UnavailableError("down"));
  EXPECT_TRUE(retry.stalled());
}

TEST(RetryLoop, CancelEndsIt) {
  TestClock clock;
  CancelToken cancel;
  RetryLoop retry({}, clock, cancel);
  cancel.Cancel();
  EXPECT_THAT(retry.WaitAfter(absl::UnavailableError("x")), HasReason("INTERRUPTED"));
}

}  // namespace
}  // namespace bitwright
