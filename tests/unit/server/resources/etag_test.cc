// Changes that are asked for with the etag that the caller saw.
#include "proto/base/wire_time.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/server/support/rig.h"

namespace bitwright::server {
namespace {

v1::Job Get(Rig& rig, const std::string& job) { return *rig.jobs->Get(kCaller, job); }

TEST(Etag, ChangesWithTheJobAndSoDoesItsUpdateTime) {
  Rig rig;
  const v1::Job queued = rig.QueuedJob();
  EXPECT_FALSE(queued.etag().empty());
  EXPECT_EQ(queued.update_time().seconds(), queued.create_time().seconds());
  rig.clock.Advance(3);
  const std::string worker = rig.AddWorker();
  const v1::Lease lease = rig.Lease(worker);
  const v1::Job running = Get(rig, queued.name());
  EXPECT_EQ(running.state(), v1::Job::RUNNING);
  EXPECT_NE(running.etag(), queued.etag());
  EXPECT_GT(FromProto(running.update_time()), FromProto(queued.update_time()));
  EXPECT_EQ(Get(rig, queued.name()).etag(), running.etag()) << "reading changes nothing";
  EXPECT_FALSE(rig.Lost(worker, lease));
  EXPECT_NE(Get(rig, queued.name()).etag(), running.etag()) << "progress is a change";
}

TEST(Etag, ACancellationOfAnOldStateIsRefused) {
  Rig rig;
  const v1::Job queued = rig.QueuedJob();
  rig.Lease(rig.AddWorker());
  const auto refused = rig.jobs->Cancel(kCaller, queued.name(), queued.etag());
  EXPECT_THAT(refused, HasReason("ETAG_MISMATCH"));
  EXPECT_THAT(refused, StatusIs(absl::StatusCode::kAborted));
  EXPECT_EQ(Get(rig, queued.name()).state(), v1::Job::RUNNING);
  const std::string now = Get(rig, queued.name()).etag();
  ASSERT_OK_AND_ASSIGN(const v1::Job cancelled, rig.jobs->Cancel(kCaller, queued.name(), now));
  EXPECT_EQ(cancelled.state(), v1::Job::CANCELLED);
  BITWRIGHT_EXPECT_OK(rig.jobs->Cancel(kCaller, queued.name(), now)) << "a second call has nothing to change";
}

TEST(Etag, OfAJobInTheQueueHoldsWhileItIsReadIntoMemory) {
  Rig rig;
  rig.options.window = 1;
  rig.Restart();
  const std::string model = rig.ReadyModel().name();
  rig.CreateJob(rig.Spec(model));
  const v1::Job waiting = rig.CreateJob(rig.Spec(model, 5));
  const v1::Job other = rig.CreateJob(rig.Spec(model, 6));
  EXPECT_FALSE(rig.scheduler->LiveJob(waiting.name(), kDefaultTenant).has_value());
  EXPECT_FALSE(rig.scheduler->LiveJob(other.name(), kDefaultTenant).has_value());
  BITWRIGHT_EXPECT_OK(rig.jobs->Cancel(kCaller, waiting.name(), Get(rig, waiting.name()).etag()));
  // From now on it is in memory, and its stages are planned: a change.
  EXPECT_THAT(rig.jobs->Cancel(kCaller, other.name(), "other"), HasReason("ETAG_MISMATCH"));
  rig.scheduler->Settle();
  BITWRIGHT_EXPECT_OK(rig.jobs->Cancel(kCaller, other.name(), Get(rig, other.name()).etag()));
}

TEST(Etag, ARestartLeavesThatOfAFinishedJobAndGivesNoOldOneToARunningJob) {
  Rig rig;
  const v1::Job queued = rig.QueuedJob();
  rig.Lease(rig.AddWorker());
  const std::string running = Get(rig, queued.name()).etag();
  rig.Restart();
  const std::string again = Get(rig, queued.name()).etag();
  EXPECT_NE(again, queued.etag()) << "it runs by now";
  EXPECT_NE(again, running) << "its stages are made anew";
  BITWRIGHT_ASSERT_OK(rig.jobs->Cancel(kCaller, queued.name()));
  const std::string ended = Get(rig, queued.name()).etag();
  rig.Restart();
  EXPECT_EQ(Get(rig, queued.name()).etag(), ended);
}

TEST(Etag, FinishedJobsAreRetriedAndDeletedAsTheyWereSeen) {
  Rig rig;
  const std::string job = rig.QueuedJob().name();
  BITWRIGHT_ASSERT_OK(rig.jobs->Cancel(kCaller, job));
  const std::string etag = Get(rig, job).etag();
  v1::RetryJobRequest retry;
  retry.set_name(job);
  retry.set_etag("other");
  EXPECT_THAT(rig.jobs->Retry(kCaller, retry), HasReason("ETAG_MISMATCH"));
  retry.set_etag(etag);
  BITWRIGHT_EXPECT_OK(rig.jobs->Retry(kCaller, retry));
  EXPECT_THAT(rig.jobs->Delete(kCaller, job, "other"), HasReason("ETAG_MISMATCH"));
  BITWRIGHT_EXPECT_OK(rig.jobs->Get(kCaller, job));
  BITWRIGHT_EXPECT_OK(rig.jobs->Delete(kCaller, job, etag));
  EXPECT_THAT(rig.jobs->Get(kCaller, job), HasReason("JOB_NOT_FOUND"));
}

TEST(Etag, OfAModelFollowsItsState) {
  Rig rig;
  v1::CreateModelRequest request;
  *request.mutable_manifest() = rig.Files();
  ASSERT_OK_AND_ASSIGN(const v1::Model inspecting, rig.models->Create(kCaller, request));
  rig.Pass(3);
  ASSERT_OK_AND_ASSIGN(const v1::Model waiting, rig.models->Get(kCaller, inspecting.name()));
  EXPECT_EQ(waiting.waiting().reason(), "NO_WORKER");
  EXPECT_EQ(waiting.etag(), inspecting.etag());
  EXPECT_GT(waiting.revision(), inspecting.revision());
  EXPECT_GT(FromProto(waiting.update_time()), FromProto(inspecting.update_time()));
  rig.RunAll(rig.AddWorker());
  ASSERT_OK_AND_ASSIGN(const v1::Model ready, rig.models->Get(kCaller, inspecting.name()));
  EXPECT_EQ(ready.state(), v1::Model::READY);
  EXPECT_GT(ready.revision(), waiting.revision());
  EXPECT_THAT(rig.models->Delete(kCaller, ready.name(), inspecting.etag()), HasReason("ETAG_MISMATCH"));
  BITWRIGHT_EXPECT_OK(rig.models->Delete(kCaller, ready.name(), ready.etag()));
}

}  // namespace
}  // namespace bitwright::server
