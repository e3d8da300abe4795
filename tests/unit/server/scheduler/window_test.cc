#include <string>
#include <vector>

#include "proto/base/errors.h"
#include "proto/base/status_macros.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/server/support/rig.h"

namespace bitwright::server {
namespace {

// A server with room for two jobs that wait, and jobs of it.
class WindowTest : public ::testing::Test {
 protected:
  WindowTest() {
    rig_.options.window = 2;
    rig_.Restart();
    model_ = rig_.ReadyModel().name();
  }

  std::string Create(int priority = 0) {
    v1::JobSpec spec = rig_.Spec(model_, 4.0 + 0.01 * static_cast<double>(++made_));
    spec.set_priority(priority);
    rig_.clock.Advance(0.001);
    return rig_.CreateJob(spec).name();
  }
  std::vector<std::string> CreateSome(int count) {
    std::vector<std::string> names;
    for (int i = 0; i < count; ++i) names.push_back(Create());
    return names;
  }
  bool InMemory(const std::string& job) { return rig_.scheduler->LiveJob(job, kDefaultTenant).has_value(); }
  v1::Job Get(const std::string& job) { return *rig_.jobs->Get(kCaller, job); }

  Rig rig_;
  std::string model_;
  int made_ = 0;
};

TEST_F(WindowTest, JobsBeyondItAreRowsUntilTheirTurnComes) {
  const std::vector<std::string> jobs = CreateSome(6);
  for (int i = 0; i < 6; ++i) EXPECT_EQ(InMemory(jobs[i]), i < 2) << i;
  EXPECT_EQ(Get(jobs[5]).state(), v1::Job::QUEUED);
  EXPECT_EQ(Get(jobs[5]).waiting().reason(), "QUEUED_BEHIND");
  const std::string worker = rig_.AddWorker();
  while (rig_.RunAll(worker) > 0) rig_.Tick();
  for (const std::string& job : jobs) EXPECT_EQ(Get(job).state(), v1::Job::SUCCEEDED) << job;
}

TEST_F(WindowTest, TheyRunInTheOrderInWhichTheyCame) {
  const std::vector<std::string> jobs = CreateSome(5);
  const std::string worker = rig_.AddWorker();
  std::vector<std::string> begun;
  for (int i = 0; i < 2000; ++i) {
    const auto lease = rig_.TryLease(worker);
    if (!lease->has_value()) break;
    const std::string owner = (*lease)->owner();
    if (begun.empty() || begun.back() != owner) begun.push_back(owner);
    BITWRIGHT_ASSERT_OK(rig_.Complete(worker, **lease));
  }
  EXPECT_EQ(begun, jobs);
}

TEST_F(WindowTest, AnUrgentJobTakesThePlaceOfTheLastOne) {
  const std::vector<std::string> jobs = CreateSome(4);
  const std::string urgent = Create(5);
  EXPECT_TRUE(InMemory(urgent));
  EXPECT_EQ(InMemory(jobs[0]) + InMemory(jobs[1]), 1);
  const std::string worker = rig_.AddWorker();
  EXPECT_EQ(rig_.Lease(worker).owner(), urgent);
}

TEST_F(WindowTest, OneThatIsOutsideCanBeCancelled) {
  const std::vector<std::string> jobs = CreateSome(4);
  ASSERT_OK_AND_ASSIGN(const v1::Job cancelled, rig_.jobs->Cancel(kCaller, jobs[3]));
  EXPECT_EQ(cancelled.state(), v1::Job::CANCELLED);
  EXPECT_FALSE(InMemory(jobs[3]));
  EXPECT_EQ(Get(jobs[2]).state(), v1::Job::QUEUED);
}

TEST_F(WindowTest, AfterARestartTheFirstOfTheQueueAreTakenUpAgain) {
  const std::vector<std::string> jobs = CreateSome(4);
  const std::string urgent = Create(1);
  rig_.Restart();
  EXPECT_TRUE(InMemory(urgent));
  EXPECT_TRUE(InMemory(jobs[0]));
  EXPECT_FALSE(InMemory(jobs[1]));
}

TEST_F(WindowTest, WhatRunsIsInMemoryBesideIt) {
  const std::vector<std::string> jobs = CreateSome(3);
  const std::string worker = rig_.AddWorker();
  const v1::Lease lease = rig_.Lease(worker);
  EXPECT_EQ(lease.owner(), jobs[0]);
  rig_.Tick();
  for (const std::string& job : jobs) EXPECT_TRUE(InMemory(job));
  rig_.Restart();
  for (const std::string& job : jobs) EXPECT_TRUE(InMemory(job));
  EXPECT_FALSE(rig_.Lost(rig_.AddWorker(), lease)) << "its lease is known again";
}

TEST_F(WindowTest, JobsThatWaitForAMissingWorkerKeepNobodyOut) {
  const std::vector<std::string> jobs = CreateSome(4);
  const auto small = [](auto& capacity) { capacity.set_memory_bytes(1000); };
  rig_.AddWorker(small);
  rig_.Pass(3);
  for (const std::string& job : jobs) EXPECT_TRUE(InMemory(job)) << "none of them may ever run on it";
}

TEST_F(WindowTest, RowsOfBeforeTheQueueGetTheirPlaceInIt) {
  const std::vector<std::string> jobs = CreateSome(3);
  const std::string urgent = Create(3);
  BITWRIGHT_ASSERT_OK(rig_.store->Write([&](Transaction& tx) -> absl::Status {
    ABSL_ASSIGN_OR_RETURN(std::optional<JobRow> row, tx.GetJob(urgent));
    row->priority = kUnknownPriority;
    return tx.PutJob(*row);
  }));
  rig_.Restart();
  EXPECT_TRUE(InMemory(urgent));
}

}  // namespace
}  // namespace bitwright::server
