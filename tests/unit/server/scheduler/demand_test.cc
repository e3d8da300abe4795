#include "server/scheduler/demand.h"

#include <gtest/gtest.h>

#include <atomic>

#include "proto/contract/compute_class.h"
#include "proto/contract/notices.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/server/support/rig.h"

namespace bitwright::server {
namespace {

const WorkerPool kCpu{.device = "cpu"};
const WorkerPool kAvx2{.device = "cpu", .compute_class = "cpu-avx2"};
const WorkerPool kAvx512{.device = "cpu", .compute_class = "cpu-avx512"};
const WorkerPool kCuda{.device = "cuda"};
const WorkerPool kPinnedCuda{.device = "cuda", .counts_unpinned = false};

TEST(Places, SmallTasksRunBesideOthers) {
  EXPECT_EQ(PlacesFor({.large = 0, .small = 0}), 0);
  EXPECT_EQ(PlacesFor({.large = 0, .small = 1}), 1);
  EXPECT_EQ(PlacesFor({.large = 0, .small = 2}), 1);
  EXPECT_EQ(PlacesFor({.large = 0, .small = 5}), 3);
  EXPECT_EQ(PlacesFor({.large = 4, .small = 0}), 4);
  EXPECT_EQ(PlacesFor({.large = 4, .small = 4}), 4);
  EXPECT_EQ(PlacesFor({.large = 4, .small = 7}), 6);
}

TEST(Places, ADeviceIsTheBeginningOfAComputeClass) {
  EXPECT_EQ(DeviceOfClass("cpu-x86-64-v2"), "cpu");
  EXPECT_EQ(DeviceOfClass("cuda-sm90"), "cuda");
  EXPECT_EQ(DeviceOfClass(""), "");
}

class DemandTest : public ::testing::Test {
 protected:
  int64_t Wanted(const WorkerPool& pool = kCpu) {
    const auto places = rig_.scheduler->PlacesWanted(pool);
    EXPECT_THAT(places, IsOk());
    return places.value_or(-1);
  }
  // With data of its own, so that none of its tasks is another's.
  std::string Create(const std::string& text) {
    if (model_.empty()) model_ = rig_.ReadyModel().name();
    v1::JobSpec spec = rig_.Spec(model_);
    *spec.mutable_calibration(0)->mutable_blob() = ToProto(rig_.Put(text + " to calibrate"));
    *spec.mutable_evaluation(0)->mutable_blob() = ToProto(rig_.Put(text + " to evaluate"));
    return rig_.CreateJob(spec).name();
  }
  // The worker runs on until a task of this kind is leased to it.
  v1::Lease LeaseOf(const std::string& worker, const std::string& kind) {
    while (true) {
      v1::Lease lease = rig_.Lease(worker);
      if (lease.spec().kind() == kind) return lease;
      EXPECT_THAT(rig_.Complete(worker, lease), IsOk());
    }
  }

  Rig rig_;
  std::string model_;
};

TEST_F(DemandTest, ComesWithAJobAndGoesWithIt) {
  EXPECT_EQ(Wanted(), 0);
  const std::string job = Create("a");
  EXPECT_GT(Wanted(), 0);
  BITWRIGHT_ASSERT_OK(rig_.scheduler->CancelJob(job));
  EXPECT_EQ(Wanted(), 0);
  Create("b");
  const std::string worker = rig_.AddWorker();
  rig_.RunAll(worker);
  EXPECT_EQ(Wanted(), 0) << "though a worker is there";
}

TEST_F(DemandTest, AModelIsToBeInspected) {
  v1::CreateModelRequest request;
  *request.mutable_manifest() = rig_.Files("new");
  BITWRIGHT_ASSERT_OK(rig_.models->Create(kCaller, request));
  rig_.scheduler->Settle();
  EXPECT_EQ(Wanted(), 1);
  const std::string worker = rig_.AddWorker();
  const v1::Lease lease = rig_.Lease(worker);
  EXPECT_EQ(Wanted(), 1) << "it runs";
  BITWRIGHT_ASSERT_OK(rig_.Complete(worker, lease));
  EXPECT_EQ(Wanted(), 0);
}

TEST_F(DemandTest, IsForThePoolThatTheJobIsPinnedTo) {
  Create("a");
  for (const WorkerPool& pool : {kCpu, kAvx2, kAvx512, kCuda}) EXPECT_EQ(Wanted(pool), Wanted()) << pool.device;
  EXPECT_EQ(Wanted(kPinnedCuda), 0);
  const std::string worker = rig_.AddWorker();
  const v1::Lease lease = LeaseOf(worker, "calibrate");
  EXPECT_EQ(Wanted(kCpu), Wanted(kAvx2));
  EXPECT_GT(Wanted(kAvx2), 0);
  for (const WorkerPool& pool : {kAvx512, kCuda, kPinnedCuda}) EXPECT_EQ(Wanted(pool), 0) << pool.device;
  rig_.scheduler->DeregisterWorker(worker);
  rig_.scheduler->Settle();
  EXPECT_GT(Wanted(kAvx2), 0) << "it waits for another worker of its class";
  EXPECT_EQ(Wanted(kAvx512), 0);
}

TEST_F(DemandTest, EveryTaskThatCouldRunIsAPlace) {
  Create("a");
  const std::string worker = rig_.AddWorker();
  const v1::Lease first = LeaseOf(worker, "calibrate");
  const int64_t wanted = Wanted();
  ASSERT_GT(wanted, 1) << "texts are calibrated with and evaluated at once";
  // As many workers find work, and one more does not.
  for (int64_t i = 1; i < wanted; ++i) {
    const auto lease = rig_.TryLease(rig_.AddWorker());
    ASSERT_TRUE(lease.ok() && lease->has_value()) << i;
    EXPECT_EQ(Wanted(), wanted) << "what runs counts like what waits";
  }
  const auto none = rig_.TryLease(rig_.AddWorker());
  ASSERT_THAT(none, IsOk());
  EXPECT_FALSE(none->has_value());
}

TEST_F(DemandTest, AnEqualTaskWaitsForTheOneThatRuns) {
  Create("a");
  const int64_t one = Wanted();
  Create("a");
  EXPECT_GT(Wanted(), one) << "nobody knows yet";
  for (int i = 0; i < 10 && rig_.TryLease(rig_.AddWorker())->has_value(); ++i) {
  }
  EXPECT_EQ(Wanted(), one) << "of two jobs of the same data one does the work";
}

TEST_F(DemandTest, ATenantsLimitBoundsIt) {
  rig_.tenant_limits.running_jobs = 1;
  rig_.Restart();
  Create("a");
  const int64_t one = Wanted();
  Create("b");
  EXPECT_EQ(Wanted(), one) << "only one of them may begin";
  rig_.Lease(rig_.AddWorker());
  EXPECT_LE(Wanted(), one);
  BITWRIGHT_ASSERT_OK(rig_.tenants->SetLimits(kCaller, kDefaultTenant, {.running_jobs = 0}));
  rig_.scheduler->Settle();
  EXPECT_GT(Wanted(), one);
}

TEST_F(DemandTest, WhileNothingIsBegunOnlyWhatRunsCounts) {
  Create("a");
  const std::string worker = rig_.AddWorker();
  const v1::Lease lease = rig_.Lease(worker);
  rig_.scheduler->Pause(MakeNotice("DISK_LOW", "full"));
  EXPECT_EQ(Wanted(), 1);
  BITWRIGHT_ASSERT_OK(rig_.Complete(worker, lease));
  EXPECT_EQ(Wanted(), 0);
  rig_.scheduler->Pause(std::nullopt);
  EXPECT_GT(Wanted(), 0);
}

TEST_F(DemandTest, ARestartKnowsWhatRan) {
  Create("a");
  const std::string worker = rig_.AddWorker();
  const v1::Lease lease = LeaseOf(worker, "calibrate");
  const int64_t wanted = Wanted(kAvx2);
  rig_.Restart();
  EXPECT_EQ(Wanted(kAvx2), wanted);
  EXPECT_EQ(Wanted(kCuda), 0);
}

TEST_F(DemandTest, WhoSubscribesIsCalledTwiceASecond) {
  std::atomic<int> calls = 0;
  const int64_t id = rig_.scheduler->SubscribeToDemand([&] { ++calls; });
  const auto pass = [this](int ticks) {
    for (int i = 0; i < ticks; ++i) {
      rig_.clock.Advance(0.1);
      rig_.Tick();
    }
  };
  pass(20);
  EXPECT_GE(calls, 3);
  EXPECT_LE(calls, 5);
  rig_.scheduler->Unsubscribe(id);
  const int before = calls;
  pass(10);
  EXPECT_EQ(calls, before);
}

}  // namespace
}  // namespace bitwright::server
