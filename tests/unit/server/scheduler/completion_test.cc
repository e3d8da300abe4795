#include <gtest/gtest.h>

#include "proto/base/wire_time.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/server/support/rig.h"

namespace bitwright::server {
namespace {

double Progress(Rig& rig, const std::string& job) { return rig.jobs->Get(kCaller, job)->progress(); }

// After every task of the whole job, with a restart of the server now and then.
TEST(Completion, ProgressNeverFallsAndIsWholeAtTheEndAlone) {
  Rig rig;
  const std::string job = rig.QueuedJob().name();
  EXPECT_EQ(Progress(rig, job), 0);
  double before = 0;
  int rises = 0;
  for (int step = 0;; ++step) {
    const std::string worker = rig.AddWorker();
    if (rig.RunAll(worker, 1) == 0) break;
    rig.scheduler->DeregisterWorker(worker);
    rig.scheduler->Settle();
    if (step % 5 == 4) {
      rig.Pass(0.1);
      rig.Restart();
    }
    ASSERT_OK_AND_ASSIGN(const v1::Job now, rig.jobs->Get(kCaller, job));
    EXPECT_GE(now.progress(), before) << "after " << step;
    EXPECT_EQ(now.progress() == 1, now.state() == v1::Job::SUCCEEDED) << now.progress();
    rises += now.progress() > before ? 1 : 0;
    before = now.progress();
  }
  EXPECT_EQ(before, 1);
  EXPECT_GT(rises, 10);
}

// The plan has more candidates than was assumed, so that what is done is a smaller part of a larger whole.
TEST(Completion, APlanThatArrivesDoesNotLowerIt) {
  Rig rig;
  const std::string job = rig.QueuedJob().name();
  const std::string worker = rig.AddWorker();
  double before = 0;
  while (true) {
    before = Progress(rig, job);
    const v1::Lease lease = rig.Lease(worker);
    BITWRIGHT_ASSERT_OK(rig.Complete(worker, lease));
    if (lease.spec().kind() == "allocate") break;
  }
  EXPECT_GT(before, 0);
  EXPECT_GE(Progress(rig, job), before);
}

TEST(Completion, RunningTasksCountByTheirOwnProgress) {
  Rig rig;
  const std::string job = rig.QueuedJob().name();
  const std::string worker = rig.AddWorker();
  rig.RunAll(worker, 2);
  const double before = Progress(rig, job);
  const v1::Lease lease = rig.Lease(worker);
  EXPECT_EQ(Progress(rig, job), before);
  EXPECT_FALSE(rig.Lost(worker, lease));  // reports progress 0.5
  const double half = Progress(rig, job);
  EXPECT_GT(half, before);
  BITWRIGHT_ASSERT_OK(rig.Complete(worker, lease));
  EXPECT_NEAR(Progress(rig, job) - half, half - before, 1e-9) << "the other half";
}

TEST(Completion, AFailedJobIsBelowOne) {
  Rig rig;
  const std::string job = rig.QueuedJob().name();
  const std::string worker = rig.AddWorker();
  rig.RunAll(worker, 6);
  const double before = Progress(rig, job);
  BITWRIGHT_ASSERT_OK(rig.FailLease(worker, rig.Lease(worker), absl::InvalidArgumentError("bad"), false));
  ASSERT_OK_AND_ASSIGN(const v1::Job failed, rig.jobs->Get(kCaller, job));
  EXPECT_EQ(failed.state(), v1::Job::FAILED);
  EXPECT_GE(failed.progress(), before);
  EXPECT_LT(failed.progress(), 1);
}

// The profile is the first task that is large enough to measure speed on. One worker: what is left only shrinks.
TEST(Completion, RemainingComesFromTheMeasuredSpeed) {
  Rig rig;
  const std::string job = rig.QueuedJob().name();
  const std::string worker = rig.AddWorker();
  absl::Duration before = absl::InfiniteDuration();
  bool measured = false;
  while (true) {
    const v1::Lease lease = rig.Lease(worker);
    BITWRIGHT_ASSERT_OK(rig.Complete(worker, lease));
    const v1::Job now = *rig.jobs->Get(kCaller, job);
    if (now.state() != v1::Job::RUNNING) break;
    EXPECT_TRUE(now.has_remaining() || !measured) << "once known, always known: " << lease.spec().kind();
    measured = now.has_remaining();
    if (lease.spec().kind() == "tokenize") {
      EXPECT_FALSE(measured) << "too little has run";
    }
    if (!measured) continue;
    const absl::Duration remaining = FromProto(now.remaining());
    EXPECT_GT(remaining, absl::ZeroDuration());
    if (lease.spec().kind() == "allocate") before = absl::InfiniteDuration();  // the plan says what is to come
    EXPECT_LT(remaining, before) << lease.spec().kind();
    before = remaining;
  }
  EXPECT_TRUE(measured);
  EXPECT_FALSE(rig.jobs->Get(kCaller, job)->has_remaining()) << "it has ended";
}

}  // namespace
}  // namespace bitwright::server
