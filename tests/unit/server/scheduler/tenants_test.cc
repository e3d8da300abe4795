#include <gmock/gmock.h>

#include <set>
#include <string>
#include <vector>

#include "tests/support/status_matchers.h"
#include "tests/unit/server/support/rig.h"

namespace bitwright::server {
namespace {

// A server of two tenants, each with a model of the same files.
class TenantsTest : public ::testing::Test {
 protected:
  void Models() {
    own_ = rig_.ReadyModel("a").name();
    theirs_ = rig_.ReadyModel("a", kStranger).name();
  }
  const std::string& ModelOf(const CallContext& call) const { return &call == &kStranger ? theirs_ : own_; }
  // Each with texts of its own, so that none waits for what it shares with another.
  std::string Create(const CallContext& call = kCaller, int priority = 0) {
    v1::JobSpec spec = rig_.Spec(ModelOf(call), 4.25, call);
    const std::string text = "text " + std::to_string(++made_);
    *spec.mutable_calibration(0)->mutable_blob() = ToProto(rig_.Put(text + " to calibrate", call));
    *spec.mutable_evaluation(0)->mutable_blob() = ToProto(rig_.Put(text + " to evaluate", call));
    spec.set_priority(priority);
    rig_.clock.Advance(0.001);
    return rig_.CreateJob(spec, call).name();
  }
  v1::Job Get(const std::string& job, const CallContext& call = kCaller) { return *rig_.jobs->Get(call, job); }
  bool InMemory(const std::string& job, const CallContext& call = kCaller) {
    return rig_.scheduler->LiveJob(job, call.tenant()).has_value();
  }
  // Limits the default tenant to so many running jobs.
  void Limit(int64_t running_jobs) {
    BITWRIGHT_ASSERT_OK(rig_.tenants->SetLimits(kCaller, kDefaultTenant, {.running_jobs = running_jobs}));
    rig_.scheduler->Settle();
  }
  // The owners of all that can be leased at once, each lease by a worker of its own, until there is nothing more.
  std::set<std::string> Running(int most = 50) {
    std::set<std::string> owners;
    for (int i = 0; i < most; ++i) {
      const auto lease = rig_.TryLease(rig_.AddWorker());
      if (!lease.ok() || !lease->has_value()) break;
      owners.insert((*lease)->owner());
      leases_.push_back(**lease);
    }
    return owners;
  }

  Rig rig_;
  std::string own_, theirs_;
  std::vector<v1::Lease> leases_;
  int made_ = 0;
};

TEST_F(TenantsTest, EqualTasksOfTwoTenantsRunForEachOfThem) {
  Models();
  const v1::JobSpec spec = rig_.Spec(own_);
  v1::JobSpec theirs = rig_.Spec(theirs_, 4.25, kStranger);
  const std::string worker = rig_.AddWorker();
  const v1::Job job = rig_.CreateJob(spec);
  const int ran = rig_.RunAll(worker);
  ASSERT_GT(ran, 0);
  const v1::Job other = rig_.CreateJob(theirs, kStranger);
  EXPECT_EQ(rig_.RunAll(worker), ran) << "the results of the first are none of the other's business";
  const v1::Job one = Get(job.name());
  const v1::Job two = Get(other.name(), kStranger);
  EXPECT_EQ(two.state(), v1::Job::SUCCEEDED);
  EXPECT_EQ(two.artifact().SerializeAsString(), one.artifact().SerializeAsString()) << "the same bytes nevertheless";
  for (const v1::Stage& stage : two.stages()) EXPECT_EQ(stage.cached(), 0) << stage.kind();
  rig_.CreateJob(theirs, kStranger);
  EXPECT_EQ(rig_.RunAll(worker), 0) << "its own are";
}

TEST_F(TenantsTest, EqualTasksOfTwoTenantsDoNotWaitForEachOther) {
  Models();
  rig_.CreateJob(rig_.Spec(own_));
  const std::set<std::string> first = Running();
  const size_t leases = leases_.size();
  rig_.CreateJob(rig_.Spec(theirs_, 4.25, kStranger), kStranger);
  Running();
  EXPECT_EQ(leases_.size(), 2 * leases);
}

TEST_F(TenantsTest, NoMoreJobsBeginThanTheTenantMayHaveRunning) {
  Models();
  Limit(2);
  const std::string a = Create();
  const std::string b = Create();
  const std::string c = Create();
  const std::string theirs = Create(kStranger);
  EXPECT_EQ(Running(), (std::set<std::string>{a, b, theirs}));
  rig_.Pass(3);
  EXPECT_EQ(Get(c).state(), v1::Job::QUEUED);
  EXPECT_EQ(Get(c).waiting().reason(), "TENANT_LIMIT");
  EXPECT_THAT(Get(c).waiting().message(), ::testing::HasSubstr("2 jobs"));
  BITWRIGHT_ASSERT_OK(rig_.jobs->Cancel(kCaller, a));
  rig_.scheduler->Settle();
  EXPECT_EQ(Running(), std::set<std::string>{c}) << "when one ends the next begins";
  EXPECT_FALSE(Get(c).has_waiting());
}

TEST_F(TenantsTest, AllRunToTheEndUnderALimit) {
  Models();
  Limit(1);
  std::vector<std::string> jobs;
  for (int i = 0; i < 5; ++i) jobs.push_back(Create());
  const std::string worker = rig_.AddWorker();
  while (rig_.RunAll(worker) > 0) rig_.Tick();
  for (const std::string& job : jobs) EXPECT_EQ(Get(job).state(), v1::Job::SUCCEEDED) << job;
}

TEST_F(TenantsTest, TheMoreUrgentJobIsTheNextToBegin) {
  Models();
  Limit(1);
  const std::string a = Create();
  const std::string b = Create();
  const std::string urgent = Create(kCaller, 5);
  EXPECT_EQ(Running(), std::set<std::string>{urgent}) << "none of them had begun";
  BITWRIGHT_ASSERT_OK(rig_.jobs->Cancel(kCaller, urgent));
  rig_.scheduler->Settle();
  EXPECT_EQ(Running(), std::set<std::string>{a});
}

TEST_F(TenantsTest, ALimitHoldsAfterARestart) {
  Models();
  Limit(1);
  const std::string a = Create();
  const std::string b = Create();
  EXPECT_EQ(Running(1), std::set<std::string>{a});
  rig_.Restart();
  EXPECT_EQ(Running(), std::set<std::string>{a}) << "its other tasks";
  rig_.Pass(3);
  EXPECT_EQ(Get(b).waiting().reason(), "TENANT_LIMIT");
  Limit(0);
  EXPECT_EQ(Running(), std::set<std::string>{b}) << "no limit any more";
}

TEST_F(TenantsTest, TheServersDefaultHoldsForTenantsWithoutALimitOfTheirOwn) {
  rig_.tenant_limits.running_jobs = 1;
  rig_.Restart();
  Models();
  const std::string a = Create();
  const std::string b = Create();
  const std::string theirs = Create(kStranger);
  EXPECT_EQ(Running(), (std::set<std::string>{a, theirs}));
  Limit(2);
  EXPECT_EQ(Running(), std::set<std::string>{b});
}

TEST_F(TenantsTest, AJobWhoseWorkerIsMissingKeepsNoOtherFromBeginning) {
  Models();
  Limit(1);
  const std::string stuck = Create();
  const std::string worker = rig_.AddWorker([](auto& capacity) { capacity.set_memory_bytes(1000); });
  rig_.Pass(2);
  EXPECT_EQ(Get(stuck).waiting().reason(), "WORKER_MISSING");
  const std::string next = Create();
  EXPECT_EQ(Running(1).size(), 1u);
  rig_.scheduler->DeregisterWorker(worker);
}

TEST_F(TenantsTest, OneTenantsQueueLeavesRoomInTheWindowForAnother) {
  rig_.options.window = 4;
  rig_.Restart();
  Models();
  std::vector<std::string> own;
  for (int i = 0; i < 8; ++i) own.push_back(Create());
  const std::string first = Create(kStranger);
  const std::string second = Create(kStranger);
  EXPECT_TRUE(InMemory(first, kStranger));
  EXPECT_TRUE(InMemory(second, kStranger));
  EXPECT_TRUE(InMemory(own[0]));
  EXPECT_FALSE(InMemory(own[3])) << "the youngest inside gave way";
  rig_.Restart();
  EXPECT_TRUE(InMemory(first, kStranger)) << "by turns, after a restart";
  EXPECT_TRUE(InMemory(own[1]));
  EXPECT_FALSE(InMemory(own[2]));
}

TEST_F(TenantsTest, AnUrgentQueueThatMayNotBeginKeepsNobodyOutOfTheWindow) {
  rig_.options.window = 4;
  rig_.Restart();
  Models();
  Limit(1);
  for (int i = 0; i < 30; ++i) Create(kCaller, 9);
  const std::string theirs = Create(kStranger);
  EXPECT_TRUE(InMemory(theirs, kStranger));
  EXPECT_EQ(Running().size(), 2u);
  const std::string worker = rig_.AddWorker();
  Limit(3);
  std::set<std::string> begun;
  for (int i = 0; i < 4; ++i) {
    rig_.Tick();
    begun.merge(Running());
  }
  EXPECT_EQ(begun.size(), 2u) << "what was left outside is found again";
}

TEST_F(TenantsTest, TheQueueGoesOnAsFarAsItIsLong) {
  rig_.options.window = 4;
  rig_.Restart();
  Models();
  Limit(1);
  std::vector<std::string> jobs;
  for (int i = 0; i < 7; ++i) jobs.push_back(Create());
  const std::string worker = rig_.AddWorker();
  std::vector<std::string> begun;
  for (int i = 0; i < 3000; ++i) {
    auto lease = rig_.TryLease(worker);
    if (lease.ok() && !lease->has_value()) {
      rig_.Tick();
      lease = rig_.TryLease(worker);
    }
    if (!lease.ok() || !lease->has_value()) break;
    const std::string owner = (*lease)->owner();
    if (begun.empty() || begun.back() != owner) begun.push_back(owner);
    BITWRIGHT_ASSERT_OK(rig_.Complete(worker, **lease));
  }
  EXPECT_EQ(begun, jobs);
}

TEST_F(TenantsTest, SlotsAreSharedBetweenTenants) {
  Models();
  for (int i = 0; i < 6; ++i) Create();
  rig_.clock.Advance(5);
  for (int i = 0; i < 6; ++i) Create(kStranger);
  std::map<bool, int> leases;
  for (int i = 0; i < 8; ++i) {
    const v1::Lease lease = rig_.Lease(rig_.AddWorker());
    ++leases[rig_.jobs->Get(kStranger, lease.owner()).ok()];
  }
  EXPECT_EQ(leases[true], 4);
  EXPECT_EQ(leases[false], 4);
}

}  // namespace
}  // namespace bitwright::server
