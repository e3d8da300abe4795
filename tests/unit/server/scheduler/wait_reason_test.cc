#include "server/scheduler/wait_reason.h"

#include <gtest/gtest.h>

#include <atomic>

#include "tests/support/status_matchers.h"
#include "tests/unit/server/support/rig.h"

namespace bitwright::server {
namespace {

using ::testing::HasSubstr;

// Time passes in ticks, as it does in the server.
void Pass(Rig& rig, double seconds) {
  for (double passed = 0; passed < seconds; passed += 0.1) {
    rig.clock.Advance(0.1);
    rig.Tick();
  }
}

std::string Waiting(Rig& rig, const std::string& job) { return rig.jobs->Get(kCaller, job)->waiting().reason(); }

TEST(WaitReason, WithoutAWorkerItIsSaidWithinTwoSeconds) {
  Rig rig;
  const std::string job = rig.QueuedJob().name();
  EXPECT_EQ(Waiting(rig, job), "") << "not before it has held for a while";
  std::atomic<int> changes = 0;
  rig.scheduler->Subscribe(job, [&] { ++changes; });
  const int64_t revision = rig.jobs->Get(kCaller, job)->revision();
  Pass(rig, 2);
  EXPECT_EQ(Waiting(rig, job), "NO_WORKER");
  EXPECT_THAT(rig.jobs->Get(kCaller, job)->waiting().message(), HasSubstr("bitwright-worker"));
  EXPECT_GT(rig.jobs->Get(kCaller, job)->revision(), revision);
  EXPECT_EQ(changes, 1) << "watchers are told once";
  Pass(rig, 5);
  EXPECT_EQ(changes, 1);
}

TEST(WaitReason, EndsWhenATaskRuns) {
  Rig rig;
  const std::string job = rig.QueuedJob().name();
  Pass(rig, 2);
  EXPECT_EQ(Waiting(rig, job), "NO_WORKER");
  std::atomic<int> changes = 0;
  rig.scheduler->Subscribe(job, [&] { ++changes; });
  const std::string worker = rig.AddWorker();
  const v1::Lease lease = rig.Lease(worker);
  EXPECT_EQ(Waiting(rig, job), "") << "at once, not with the next tick";
  EXPECT_EQ(changes, 1);
  BITWRIGHT_ASSERT_OK(rig.Complete(worker, lease));
  EXPECT_EQ(Waiting(rig, job), "") << "the old reason is forgotten";
  Pass(rig, 3);
  EXPECT_EQ(Waiting(rig, job), "");
}

TEST(WaitReason, AWorkerThatIsAboutToAskIsNone) {
  Rig rig;
  rig.QueuedJob();
  rig.AddWorker();
  const std::string job = rig.QueuedJob().name();
  Pass(rig, 3);
  EXPECT_EQ(Waiting(rig, job), "");
}

TEST(WaitReason, WorkersMayBeBusy) {
  Rig rig;
  rig.QueuedJob();
  const std::string worker = rig.AddWorker();
  const v1::Lease lease = rig.Lease(worker);
  v1::JobSpec spec = rig.Spec(rig.ReadyModel("b").name());
  *spec.mutable_calibration(0)->mutable_blob() = ToProto(rig.Put("another text"));
  const std::string job = rig.CreateJob(spec).name();
  Pass(rig, 2);
  EXPECT_EQ(Waiting(rig, job), "WORKERS_BUSY");
  BITWRIGHT_ASSERT_OK(rig.Complete(worker, lease));
  Pass(rig, 1);
  EXPECT_EQ(Waiting(rig, job), "") << "the worker is free";
}

TEST(WaitReason, TheRightWorkerMayBeMissing) {
  Rig rig;
  const std::string job = rig.QueuedJob().name();
  const std::string first = rig.AddWorker();
  rig.RunAll(first, 4);  // pins the job
  rig.scheduler->DeregisterWorker(first);
  rig.scheduler->Settle();
  rig.AddWorker([](auto& capacity) { capacity.set_code_version("code2"); });
  Pass(rig, 2);
  EXPECT_EQ(Waiting(rig, job), "WORKER_MISSING");
  EXPECT_THAT(rig.jobs->Get(kCaller, job)->waiting().message(), HasSubstr("code1"));
}

// It is remembered for a minute, but takes nothing.
TEST(WaitReason, ASilentWorkerIsNone) {
  Rig rig;
  rig.AddWorker();
  const std::string job = rig.QueuedJob().name();
  rig.Pass(21);
  Pass(rig, 2);
  EXPECT_EQ(Waiting(rig, job), "NO_WORKER");
}

TEST(WaitReason, ModelsWaitToo) {
  Rig rig;
  v1::CreateModelRequest request;
  *request.mutable_manifest() = rig.Files();
  ASSERT_OK_AND_ASSIGN(const v1::Model model, rig.models->Create(kCaller, request));
  EXPECT_FALSE(model.has_waiting());
  Pass(rig, 2);
  EXPECT_EQ(rig.models->Get(kCaller, model.name())->waiting().reason(), "NO_WORKER");
  EXPECT_EQ(rig.models->List(kCaller, {})->models(0).waiting().reason(), "NO_WORKER");
  rig.RunAll(rig.AddWorker());
  EXPECT_FALSE(rig.models->Get(kCaller, model.name())->has_waiting());
}

TEST(WaitReason, AnEndedJobWaitsForNothing) {
  Rig rig;
  const std::string job = rig.QueuedJob().name();
  Pass(rig, 2);
  BITWRIGHT_ASSERT_OK(rig.jobs->Cancel(kCaller, job));
  EXPECT_EQ(Waiting(rig, job), "");
}

TEST(WaitReason, GaugesAreThereBeforeAnythingWaits) {
  Rig rig;
  rig.Pass(1);
  EXPECT_THAT(rig.metrics->Text(), ::testing::HasSubstr("bitwright_tasks_waiting{reason=\"NO_WORKER\"} 0"));
  EXPECT_THAT(rig.metrics->Text(), ::testing::HasSubstr("bitwright_tasks_waiting{reason=\"DISK_LOW\"} 0"));
}

}  // namespace
}  // namespace bitwright::server
