// What operators do with workers and tasks.
#include <algorithm>

#include "google/rpc/status.pb.h"
#include "proto/contract/digest.h"
#include "proto/contract/limits.h"
#include "proto/contract/rpc_status.h"
#include "server/app/job_planner.h"
#include "server/resources/workers.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/server/support/rig.h"

namespace bitwright::server {
namespace {

std::function<void(v1::WorkerCapacity&)> Process(int id, const std::string& host = "other-host") {
  return [=](v1::WorkerCapacity& capacity) {
    capacity.set_process_id(id);
    capacity.set_host(host);
  };
}

v1::Worker::State StateOf(Rig& rig, const std::string& name) {
  for (const v1::Worker& worker : rig.scheduler->ListWorkers()) {
    if (worker.name() == name) return worker.state();
  }
  return v1::Worker::STATE_UNSPECIFIED;
}

TEST(Cordon, NothingNewIsLeasedAndWhatRunsGoesOn) {
  Rig rig;
  rig.QueuedJob();
  const std::string worker = rig.AddWorker(Process(1));
  const v1::Lease lease = rig.Lease(worker);
  ASSERT_OK_AND_ASSIGN(const v1::Worker cordoned, rig.scheduler->CordonWorker(worker));
  EXPECT_EQ(cordoned.state(), v1::Worker::CORDONED);
  ASSERT_EQ(cordoned.tasks_size(), 1);
  EXPECT_EQ(cordoned.tasks(0), lease.task());
  EXPECT_FALSE(rig.Lost(worker, lease));
  BITWRIGHT_ASSERT_OK(rig.Complete(worker, lease));
  EXPECT_FALSE(rig.TryLease(worker)->has_value());
  BITWRIGHT_ASSERT_OK(rig.scheduler->CordonWorker(worker)) << "twice is once";
  ASSERT_OK_AND_ASSIGN(const v1::Worker active, rig.scheduler->UncordonWorker(worker));
  EXPECT_EQ(active.state(), v1::Worker::ACTIVE);
  EXPECT_TRUE(rig.TryLease(worker)->has_value());
}

TEST(Cordon, AWaitingWorkerIsGivenWorkWhenItIsUncordoned) {
  Rig rig;
  const std::string model = rig.ReadyModel().name();
  const std::string worker = rig.AddWorker(Process(1));
  BITWRIGHT_ASSERT_OK(rig.scheduler->CordonWorker(worker));
  std::optional<v1::Lease> lease;
  rig.scheduler->LeaseTask(worker, absl::Seconds(20), [&](auto answer) { lease = *answer; });
  rig.CreateJob(rig.Spec(model));
  EXPECT_FALSE(lease.has_value());
  BITWRIGHT_ASSERT_OK(rig.scheduler->UncordonWorker(worker));
  rig.scheduler->Settle();
  EXPECT_TRUE(lease.has_value());
}

TEST(Cordon, HoldsForTheProcessWhateverItsName) {
  Rig rig;
  rig.QueuedJob();
  const std::string first = rig.AddWorker(Process(1));
  BITWRIGHT_ASSERT_OK(rig.scheduler->CordonWorker(first));
  const std::string again = rig.AddWorker(Process(1));
  EXPECT_EQ(StateOf(rig, again), v1::Worker::CORDONED);
  EXPECT_FALSE(rig.TryLease(again)->has_value());
  const std::string other = rig.AddWorker(Process(2));
  EXPECT_EQ(StateOf(rig, other), v1::Worker::ACTIVE) << "another process is another worker";
  EXPECT_EQ(StateOf(rig, rig.AddWorker(Process(1, "third-host"))), v1::Worker::ACTIVE);
  BITWRIGHT_ASSERT_OK(rig.scheduler->UncordonWorker(again));
  EXPECT_EQ(StateOf(rig, first), v1::Worker::ACTIVE);
  EXPECT_EQ(StateOf(rig, again), v1::Worker::ACTIVE);
}

TEST(Cordon, OutlastsAWorkerThatIsForgotten) {
  Rig rig;
  const std::string first = rig.AddWorker(Process(1));
  BITWRIGHT_ASSERT_OK(rig.scheduler->CordonWorker(first));
  rig.Pass(90);
  EXPECT_EQ(StateOf(rig, first), v1::Worker::STATE_UNSPECIFIED);
  EXPECT_EQ(StateOf(rig, rig.AddWorker(Process(1))), v1::Worker::CORDONED);
}

TEST(Cordon, ARestartedServerKnowsNothingOfIt) {
  Rig rig;
  BITWRIGHT_ASSERT_OK(rig.scheduler->CordonWorker(rig.AddWorker(Process(1))));
  rig.Restart();
  EXPECT_EQ(StateOf(rig, rig.AddWorker(Process(1))), v1::Worker::ACTIVE);
}

TEST(Cordon, AnUnknownWorkerIsNamed) {
  Rig rig;
  for (const auto& status :
       {rig.scheduler->CordonWorker("workers/none").status(), rig.scheduler->UncordonWorker("workers/none").status(),
        rig.scheduler->DrainWorker("workers/none").status()}) {
    EXPECT_THAT(status, HasReason("WORKER_NOT_FOUND"));
    EXPECT_TRUE(absl::IsNotFound(status));
  }
}

TEST(Cordon, JobsWaitForCordonedWorkersAndSayWhy) {
  Rig rig;
  const std::string job = rig.QueuedJob().name();
  const std::string worker = rig.AddWorker(Process(1));
  BITWRIGHT_ASSERT_OK(rig.scheduler->CordonWorker(worker));
  for (int i = 0; i < 40; ++i) {
    v1::HeartbeatRequest heartbeat;
    heartbeat.set_worker(worker);
    BITWRIGHT_ASSERT_OK(rig.scheduler->Heartbeat(heartbeat));
    rig.Pass(19);
  }
  ASSERT_OK_AND_ASSIGN(const v1::Job waiting, rig.jobs->Get(kCaller, job));
  EXPECT_EQ(waiting.state(), v1::Job::QUEUED) << "beyond the patience with workers that are missing";
  EXPECT_EQ(waiting.waiting().reason(), "WORKERS_CORDONED");
}

TEST(Cordon, JobsThatCanGoToAnotherClassDo) {
  Rig rig;
  const std::string worker = rig.AddWorker(Process(1));
  rig.scheduler->DeregisterWorker(worker);
  const std::string model = rig.ReadyModel().name();
  const std::string fast = rig.AddWorker([](auto& capacity) {
    capacity.set_process_id(1);
    capacity.set_compute_class("cpu-avx512");
    capacity.set_cores(64);
  });
  const std::string job = rig.CreateJob(rig.Spec(model)).name();
  BITWRIGHT_ASSERT_OK(rig.scheduler->CordonWorker(fast));
  rig.RunAll(rig.AddWorker(Process(2)));
  EXPECT_EQ(rig.jobs->Get(kCaller, job)->state(), v1::Job::SUCCEEDED);
  EXPECT_EQ(rig.jobs->Get(kCaller, job)->compute_class(), "cpu-avx2");
}

TEST(Drain, TheWorkerIsToldWhenItAsksAndIsListedWhileItRuns) {
  Rig rig;
  rig.QueuedJob();
  const std::string worker = rig.AddWorker(Process(1));
  const v1::Lease lease = rig.Lease(worker);
  ASSERT_OK_AND_ASSIGN(const v1::Worker draining, rig.scheduler->DrainWorker(worker));
  EXPECT_EQ(draining.state(), v1::Worker::DRAINING);
  EXPECT_THAT(rig.TryLease(worker, true), HasReason("WORKER_DRAINED")) << "its lane of small tasks";
  EXPECT_FALSE(rig.Lost(worker, lease));
  BITWRIGHT_ASSERT_OK(rig.Complete(worker, lease));
  EXPECT_THAT(rig.TryLease(worker), HasReason("WORKER_DRAINED"));
  BITWRIGHT_ASSERT_OK(rig.scheduler->CordonWorker(worker));
  EXPECT_EQ(StateOf(rig, worker), v1::Worker::DRAINING) << "cordoned it is already";
  rig.scheduler->DeregisterWorker(worker);
  EXPECT_EQ(StateOf(rig, worker), v1::Worker::DRAINED);
  rig.Pass(61);
  EXPECT_EQ(StateOf(rig, worker), v1::Worker::STATE_UNSPECIFIED) << "nobody starts it again";
}

TEST(Drain, OneThatWaitsForATaskIsToldAtOnce) {
  Rig rig;
  const std::string worker = rig.AddWorker(Process(1));
  absl::Status told;
  rig.scheduler->LeaseTask(worker, absl::Seconds(20), [&](auto answer) { told = answer.status(); });
  BITWRIGHT_ASSERT_OK(rig.scheduler->DrainWorker(worker));
  EXPECT_THAT(told, HasReason("WORKER_DRAINED"));
}

TEST(Drain, AProcessOfTheServerStaysAwayUntilItIsUncordoned) {
  Rig rig;
  const std::string worker = rig.AddWorker(Process(7, "this-host"));
  BITWRIGHT_ASSERT_OK(rig.scheduler->DrainWorker(worker));
  EXPECT_FALSE(rig.scheduler->IsDismissed("this-host", 7)) << "it is still there";
  rig.scheduler->DeregisterWorker(worker);
  rig.scheduler->ReleaseProcess("this-host", 7);
  EXPECT_TRUE(rig.scheduler->IsDismissed("this-host", 7));
  rig.Pass(3600);
  EXPECT_TRUE(rig.scheduler->IsDismissed("this-host", 7));
  EXPECT_EQ(StateOf(rig, worker), v1::Worker::DRAINED) << "listed, so that it can be named";
  BITWRIGHT_ASSERT_OK(rig.scheduler->UncordonWorker(worker));
  EXPECT_FALSE(rig.scheduler->IsDismissed("this-host", 7));
  EXPECT_EQ(StateOf(rig, worker), v1::Worker::STATE_UNSPECIFIED);
}

TEST(Drain, OneThatDiesMeanwhileStaysAwayToo) {
  Rig rig;
  rig.QueuedJob();
  const std::string worker = rig.AddWorker(Process(7, "this-host"));
  rig.Lease(worker);
  BITWRIGHT_ASSERT_OK(rig.scheduler->DrainWorker(worker));
  rig.scheduler->ReleaseProcess("this-host", 7);
  EXPECT_TRUE(rig.scheduler->IsDismissed("this-host", 7));
  rig.scheduler->ReleaseProcess("this-host", 8);
  EXPECT_FALSE(rig.scheduler->IsDismissed("this-host", 8)) << "nobody drained that one";
}

TEST(Drain, IsTakenBackBeforeTheWorkerAsks) {
  Rig rig;
  rig.QueuedJob();
  const std::string worker = rig.AddWorker(Process(1));
  BITWRIGHT_ASSERT_OK(rig.scheduler->DrainWorker(worker));
  BITWRIGHT_ASSERT_OK(rig.scheduler->UncordonWorker(worker));
  EXPECT_TRUE(rig.TryLease(worker)->has_value());
}

TEST(Requeue, TheTaskGoesToAnotherWorkerAndNoAttemptIsCounted) {
  Rig rig;
  const std::string job = rig.QueuedJob().name();
  const std::string stuck = rig.AddWorker(Process(1));
  const v1::Lease lost = rig.Lease(stuck);
  ASSERT_OK_AND_ASSIGN(const v1::Task task, rig.tasks->Requeue(kCaller, lost.task()));
  EXPECT_EQ(task.state(), v1::Task::READY);
  EXPECT_EQ(task.attempts(), 0);
  rig.scheduler->Settle();
  const std::string other = rig.AddWorker(Process(2));
  std::optional<v1::Lease> found;
  for (auto lease = rig.TryLease(other); lease.ok() && lease->has_value(); lease = rig.TryLease(other)) {
    if ((*lease)->task() == lost.task()) found = **lease;
    BITWRIGHT_ASSERT_OK(rig.Complete(other, **lease));
    if (found) break;
  }
  ASSERT_TRUE(found.has_value());
  EXPECT_GT(found->fencing_token(), lost.fencing_token());
  EXPECT_TRUE(rig.Lost(stuck, lost)) << "its worker is told";
  EXPECT_THAT(rig.FailLease(stuck, lost, absl::UnavailableError("late"), true), HasReason("LEASE_LOST"));
  EXPECT_EQ(rig.jobs->Get(kCaller, job)->state(), v1::Job::RUNNING);
}

TEST(Requeue, OnlyWhatRunsCanBeTakenAway) {
  Rig rig;
  const std::string job = rig.QueuedJob().name();
  const std::string worker = rig.AddWorker(Process(1));
  v1::ListTasksRequest request;
  request.set_parent(job);
  const std::string waiting = rig.tasks->List(kCaller, request)->tasks(0).name();
  const auto refused = rig.tasks->Requeue(kCaller, waiting);
  EXPECT_THAT(refused, HasReason("TASK_NOT_RUNNING"));
  EXPECT_THAT(refused, StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(rig.tasks->Requeue(kCaller, "tasks/none"), HasReason("TASK_NOT_FOUND"));
  EXPECT_THAT(rig.tasks->Requeue(kCaller, "none"), HasReason("NAME_INVALID"));
  const v1::Lease lease = rig.Lease(worker);
  BITWRIGHT_ASSERT_OK(rig.Complete(worker, lease));
  EXPECT_THAT(rig.tasks->Requeue(kCaller, lease.task()), HasReason("TASK_NOT_RUNNING"));
  BITWRIGHT_ASSERT_OK(rig.jobs->Cancel(kCaller, job));
  EXPECT_THAT(rig.tasks->Requeue(kCaller, lease.task()), HasReason("TASK_NOT_FOUND"));
}

TEST(Requeue, SurvivesARestart) {
  Rig rig;
  rig.QueuedJob();
  const std::string worker = rig.AddWorker(Process(1));
  const v1::Lease lease = rig.Lease(worker);
  BITWRIGHT_ASSERT_OK(rig.tasks->Requeue(kCaller, lease.task()));
  rig.Restart();
  EXPECT_TRUE(rig.Lost(rig.AddWorker(Process(1)), lease));
}

TEST(ListWorkers, ComesInPagesByName) {
  Rig rig;
  WorkerResources workers(*rig.scheduler, rig.clock);
  for (int i = 1; i <= 5; ++i) rig.AddWorker(Process(i));
  v1::ListWorkersRequest request;
  EXPECT_EQ(workers.List(kCaller, request)->workers_size(), 5);
  request.set_page_size(2);
  std::vector<std::string> names;
  do {
    ASSERT_OK_AND_ASSIGN(const auto page, workers.List(kCaller, request));
    EXPECT_LE(page.workers_size(), 2);
    for (const v1::Worker& worker : page.workers()) {
      names.push_back(worker.name());
      EXPECT_EQ(worker.state(), v1::Worker::ACTIVE);
      EXPECT_TRUE(worker.has_last_seen());
    }
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  EXPECT_EQ(names.size(), 5u);
  EXPECT_TRUE(std::is_sorted(names.begin(), names.end()));
  request.set_page_token("x");
  EXPECT_THAT(workers.List(kCaller, request), HasReason("PAGE_TOKEN_INVALID"));
}

// Tasks whose spec no message holds.
class LargePlanner final : public Planner {
 public:
  absl::StatusOr<Expansion> Expand(const ResolvedJob& job, const Facts& facts, size_t known) const override {
    auto expansion = planner_->Expand(job, facts, known);
    if (expansion.ok()) {
      v1::TaskInput& input = *expansion->nodes[0].spec.add_inputs();
      input.set_name(std::string(limits::kMaxTaskSpecBytes, 'x'));
      *input.mutable_digest() = ToProto(DigestOf("x"));
    }
    return expansion;
  }
  Expansion ExpandModel(const v1::Manifest& manifest, const ModelFacts& facts) const override {
    return planner_->ExpandModel(manifest, facts);
  }
  absl::StatusOr<ResolvedJob> Resolve(const v1::JobSpec& spec, std::shared_ptr<const v1::Model> model,
                                      const v1::Digest& info, const std::optional<v1::Recipe>& shipped,
                                      Purpose purpose) const override {
    return planner_->Resolve(spec, std::move(model), info, shipped, purpose);
  }
  CostForecast Forecast(const ResolvedJob& job, const Facts& facts) const override {
    return planner_->Forecast(job, facts);
  }
  v1::Estimate Estimate(const ResolvedJob& job, double flops_per_second) const override {
    return planner_->Estimate(job, flops_per_second);
  }

 private:
  const std::unique_ptr<Planner> planner_ = MakeJobPlanner();
};

TEST(TaskSpecs, OneThatNoMessageHoldsFailsItsJobByName) {
  Rig rig;
  rig.make_planner = [] { return std::make_unique<LargePlanner>(); };
  rig.Restart();
  const std::string model = rig.ReadyModel().name();
  const std::string worker = rig.AddWorker(Process(1));
  const std::string job = rig.CreateJob(rig.Spec(model)).name();
  ASSERT_OK_AND_ASSIGN(const v1::Job failed, rig.jobs->Get(kCaller, job));
  EXPECT_EQ(failed.state(), v1::Job::FAILED);
  const absl::Status error = FromProto(failed.error());
  EXPECT_THAT(error, HasReason("TASK_SPEC_TOO_LARGE"));
  EXPECT_THAT(std::string(error.message()), ::testing::HasSubstr("tokenize"));
  EXPECT_THAT(std::string(error.message()), ::testing::HasSubstr(std::to_string(limits::kMaxTaskSpecBytes)));
  EXPECT_FALSE(rig.TryLease(worker)->has_value()) << "and is not tried again";
}

}  // namespace
}  // namespace bitwright::server
