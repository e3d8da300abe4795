#include "proto/base/errors.h"
#include "proto/contract/rpc_status.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/server/support/rig.h"

namespace bitwright::server {
namespace {

absl::Status Crash() { return MakeError(absl::StatusCode::kUnavailable, "CHILD_CRASHED", "signal 9"); }

// One of the job's two first tasks, leased to a worker that runs nothing else.
struct OneTask {
  Rig rig;
  v1::Job job = rig.QueuedJob();
  std::string other = rig.AddWorker();
  v1::Lease parked = rig.Lease(other);
  std::string worker = rig.AddWorker();
};

TEST(Retry, WaitsLongerEachTimeAndGivesUpAfterThree) {
  OneTask t;
  const v1::Lease first = t.rig.Lease(t.worker);
  BITWRIGHT_ASSERT_OK(t.rig.FailLease(t.worker, first, Crash(), true));
  BITWRIGHT_EXPECT_OK(t.rig.FailLease(t.worker, first, Crash(), true)) << "a repeated call";
  EXPECT_FALSE(t.rig.TryLease(t.worker)->has_value());
  t.rig.Pass(1.1);
  const v1::Lease second = t.rig.Lease(t.worker);
  EXPECT_EQ(second.task(), first.task());
  BITWRIGHT_ASSERT_OK(t.rig.FailLease(t.worker, second, Crash(), true));
  t.rig.Pass(4.8);
  EXPECT_FALSE(t.rig.TryLease(t.worker)->has_value());
  t.rig.Pass(0.3);
  const v1::Lease third = t.rig.Lease(t.worker);
  BITWRIGHT_ASSERT_OK(t.rig.FailLease(t.worker, third, Crash(), true));
  ASSERT_OK_AND_ASSIGN(const v1::Job failed, t.rig.jobs->Get(kCaller, t.job.name()));
  EXPECT_EQ(failed.state(), v1::Job::FAILED);
  const auto detail = GetErrorDetail(FromProto(failed.error()));
  ASSERT_TRUE(detail.has_value());
  EXPECT_EQ(detail->reason, "TASK_ATTEMPTS_EXHAUSTED");
  EXPECT_EQ(detail->metadata.at("last_reason"), "CHILD_CRASHED");
  EXPECT_THAT(failed.error().message(), ::testing::HasSubstr("signal 9"));
}

TEST(Retry, ABackedOffTaskGoesToAWaitingWorkerAtATick) {
  OneTask t;
  BITWRIGHT_ASSERT_OK(t.rig.FailLease(t.worker, t.rig.Lease(t.worker), Crash(), true));
  bool leased = false;
  t.rig.scheduler->LeaseTask(t.worker, absl::Seconds(20), [&](auto lease) { leased = lease->has_value(); });
  t.rig.Tick();
  EXPECT_FALSE(leased);
  t.rig.Pass(1.1);
  EXPECT_TRUE(leased);
}

TEST(Retry, AModelsOwnFaultRejectsItAndLaterCallsSaySo) {
  Rig rig;
  v1::CreateModelRequest request;
  *request.mutable_manifest() = rig.Files();
  ASSERT_OK_AND_ASSIGN(const v1::Model model, rig.models->Create(kCaller, request));
  EXPECT_EQ(model.state(), v1::Model::INSPECTING);
  v1::CreateJobRequest job;
  *job.mutable_spec() = rig.Spec(model.name());
  EXPECT_THAT(rig.jobs->Create(kCaller, job), HasReason("MODEL_NOT_READY"));
  const std::string worker = rig.AddWorker();
  const v1::Lease lease = rig.Lease(worker);
  EXPECT_EQ(lease.owner(), model.name());
  const absl::Status fault = MakeError(absl::StatusCode::kInvalidArgument, "TENSOR_PAST_END", "tensor 'a'");
  BITWRIGHT_ASSERT_OK(rig.FailLease(worker, lease, fault, false));
  ASSERT_OK_AND_ASSIGN(const v1::Model rejected, rig.models->Get(kCaller, model.name()));
  EXPECT_EQ(rejected.state(), v1::Model::REJECTED);
  EXPECT_EQ(FromProto(rejected.error()), fault);
  EXPECT_THAT(rig.jobs->Create(kCaller, job), HasReason("MODEL_NOT_READY"));
}

}  // namespace
}  // namespace bitwright::server
