#include <atomic>
#include <set>

#include "proto/base/errors.h"
#include "proto/contract/rpc_status.h"
#include "server/jobs/job_state.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/server/support/fake_tasks.h"
#include "tests/unit/server/support/rig.h"

namespace bitwright::server {
namespace {

TEST(JobLife, RunsThroughEveryStageToAnArtifact) {
  Rig rig;
  const v1::Job queued = rig.QueuedJob();
  EXPECT_EQ(queued.state(), v1::Job::QUEUED);
  const std::string worker = rig.AddWorker();
  EXPECT_GT(rig.RunAll(worker), 10);
  ASSERT_OK_AND_ASSIGN(const v1::Job job, rig.jobs->Get(kCaller, queued.name()));
  EXPECT_EQ(job.state(), v1::Job::SUCCEEDED) << job.DebugString();
  EXPECT_EQ(job.artifact().files_size(), 1);
  EXPECT_EQ(job.compute_class(), "cpu-avx2");
  EXPECT_GT(job.revision(), queued.revision());
  EXPECT_TRUE(job.has_start_time());
  EXPECT_TRUE(job.has_end_time());
  EXPECT_EQ(job.stages(0).kind(), "tokenize");
  std::set<std::string> kinds;
  for (const v1::Stage& stage : job.stages()) {
    kinds.insert(stage.kind());
    EXPECT_EQ(stage.finished(), stage.tasks()) << stage.kind();
    EXPECT_EQ(stage.fraction(), 1.0) << stage.kind();
    EXPECT_DOUBLE_EQ(stage.seconds(), 0.5 * stage.tasks()) << stage.kind();
  }
  EXPECT_TRUE(kinds.contains("report"));
}

TEST(JobLife, ProvenanceNamesEveryTask) {
  Rig rig;
  const v1::Job queued = rig.QueuedJob();
  rig.RunAll(rig.AddWorker());
  ASSERT_OK_AND_ASSIGN(const v1::Report report, rig.jobs->Report(kCaller, queued.name(), 0));
  const v1::Provenance& provenance = report.provenance();
  EXPECT_EQ(provenance.code_version(), "code1");
  EXPECT_EQ(provenance.compute_class(), "cpu-avx2");
  EXPECT_EQ(provenance.model().size(), 64u);
  EXPECT_EQ(provenance.model_files_size(), 3);
  EXPECT_EQ(provenance.calibration_data_size(), 1);
  EXPECT_EQ(provenance.calibration_tokens(), provenance.calibration_text_tokens(0));
  ASSERT_GT(provenance.tasks_size(), 10);
  EXPECT_EQ(provenance.tasks(0).label(), "tokenize[calibration]");
  for (const auto& task : provenance.tasks()) {
    EXPECT_EQ(task.task_digest().size(), 64u) << task.label();
    EXPECT_GT(task.inputs_size(), 0) << task.label();
    EXPECT_GT(task.outputs_size(), 0) << task.label();
  }
}

TEST(JobLife, AJobOfSeveralTextsIsMeasuredOnEach) {
  Rig rig;
  v1::JobSpec spec = rig.Spec(rig.ReadyModel().name());
  *spec.add_calibration() = spec.calibration(0);
  *spec.mutable_calibration(1)->mutable_blob() = ToProto(rig.Put("more to calibrate on"));
  *spec.add_evaluation() = spec.evaluation(0);
  *spec.mutable_evaluation(1)->mutable_blob() = ToProto(rig.Put("more to evaluate on"));
  *spec.add_choices()->mutable_blob() = ToProto(rig.Put("questions"));
  spec.mutable_sample()->set_tokens(4);
  const v1::Job queued = rig.CreateJob(spec);
  rig.RunAll(rig.AddWorker());
  ASSERT_OK_AND_ASSIGN(const v1::Report report, rig.jobs->Report(kCaller, queued.name(), 0));
  const v1::Provenance& provenance = report.provenance();
  const auto named = [](const v1::Data& data) {
    return data.blob().sha256() + "/" + std::to_string(data.blob().size_bytes());
  };
  EXPECT_THAT(provenance.calibration_data(),
              testing::ElementsAre(named(spec.calibration(0)), named(spec.calibration(1))));
  EXPECT_THAT(provenance.evaluation_data(), testing::ElementsAre(named(spec.evaluation(0)), named(spec.evaluation(1))));
  ASSERT_EQ(provenance.calibration_text_tokens_size(), 2);
  EXPECT_GT(provenance.calibration_text_tokens(1), 0);
  EXPECT_EQ(provenance.calibration_tokens(),
            provenance.calibration_text_tokens(0) + provenance.calibration_text_tokens(1));
  ASSERT_EQ(provenance.evaluation_text_tokens_size(), 2);
  EXPECT_EQ(provenance.evaluation_tokens(), 2 * provenance.evaluation_text_tokens(1));
  EXPECT_EQ(provenance.choices_data_size(), 1);
  std::map<std::string, int> kinds;
  for (const auto& task : provenance.tasks()) ++kinds[task.kind()];
  EXPECT_EQ(kinds["score"], 4) << "two shards, by each model";
  EXPECT_EQ(kinds["grade"], 2);
  EXPECT_EQ(kinds["sample"], 2);
}

TEST(JobLife, ShowsProgressOfRunningTasks) {
  Rig rig;
  const v1::Job queued = rig.QueuedJob();
  const std::string worker = rig.AddWorker();
  const v1::Lease lease = rig.Lease(worker);
  EXPECT_EQ(lease.owner(), queued.name());
  EXPECT_FALSE(rig.Lost(worker, lease));  // reports progress 0.5
  ASSERT_OK_AND_ASSIGN(const v1::Job job, rig.jobs->Get(kCaller, queued.name()));
  EXPECT_EQ(job.state(), v1::Job::RUNNING);
  EXPECT_EQ(job.stages(0).running(), 1);
  EXPECT_EQ(job.stages(0).tasks(), 2);
  EXPECT_DOUBLE_EQ(job.stages(0).fraction(), 0.25);
}

TEST(JobLife, SubscribersHearOfChanges) {
  Rig rig;
  const v1::Job job = rig.QueuedJob();
  std::atomic<int> changes = 0;
  const int64_t id = rig.scheduler->Subscribe(job.name(), [&] { ++changes; });
  const std::string worker = rig.AddWorker();
  const v1::Lease lease = rig.Lease(worker);
  EXPECT_EQ(changes, 1);
  BITWRIGHT_ASSERT_OK(rig.Complete(worker, lease));
  EXPECT_GE(changes, 2);
  rig.scheduler->Unsubscribe(id);
  const int before = changes;
  BITWRIGHT_ASSERT_OK(rig.jobs->Cancel(kCaller, job.name()));
  EXPECT_EQ(changes, before);
}

TEST(JobLife, ATasksOwnFaultIsTheJobsErrorUnchanged) {
  Rig rig;
  const v1::Job job = rig.QueuedJob();
  const std::string worker = rig.AddWorker();
  const absl::Status fault =
      MakeError(absl::StatusCode::kInvalidArgument, "TOKEN_OUTSIDE_VOCABULARY", "id 9 of line 3", {{"line", "3"}});
  const v1::Lease lease = rig.Lease(worker);
  BITWRIGHT_ASSERT_OK(rig.FailLease(worker, lease, fault, false));
  ASSERT_OK_AND_ASSIGN(const v1::Job failed, rig.jobs->Get(kCaller, job.name()));
  EXPECT_EQ(failed.state(), v1::Job::FAILED);
  EXPECT_EQ(FromProto(failed.error()), fault);
  BITWRIGHT_EXPECT_OK(rig.FailLease(worker, lease, fault, false)) << "a repeated call";
  EXPECT_FALSE(rig.TryLease(worker)->has_value());
  EXPECT_THAT(rig.jobs->Report(kCaller, job.name(), 0), HasReason("JOB_HAS_NO_REPORT"));
}

// The texts of the played tokenizations are shorter than what is asked for.
TEST(JobLife, NoticesAreKnownBeforeTheEndAndInTheReport) {
  Rig rig;
  v1::JobSpec spec = rig.Spec(rig.ReadyModel().name());
  *spec.mutable_evaluation(0)->mutable_blob() = spec.calibration(0).blob();
  spec.set_display_name("a job");
  const v1::Job job = rig.CreateJob(spec);
  const auto reasons = [&] {
    std::vector<std::string> found;
    const auto now = rig.jobs->Get(kCaller, job.name());
    EXPECT_THAT(now, IsOk());
    for (const v1::Notice& notice : now->notices()) found.push_back(notice.reason());
    return found;
  };
  using Strings = std::vector<std::string>;
  EXPECT_EQ(reasons(), Strings{"TEXTS_IDENTICAL"}) << "known without running anything";
  const std::string worker = rig.AddWorker();
  rig.RunAll(worker, 2);
  EXPECT_EQ(reasons(), (Strings{"TEXT_SHORT", "TEXT_SHORT", "TEXTS_IDENTICAL"}));
  rig.RunAll(worker);
  EXPECT_EQ(reasons().size(), 3u);
  EXPECT_EQ(rig.jobs->Get(kCaller, job.name())->state(), v1::Job::SUCCEEDED);
}

TEST(JobLife, TooShortDataFailsTheJob) {
  Rig rig;
  const v1::Job job = rig.QueuedJob();
  const std::string worker = rig.AddWorker();
  const v1::Lease lease = rig.Lease(worker);
  v1::TokenizeSummary none;
  none.set_window(512);
  const auto request = rig.ResultOf(worker, lease, {{"ids", ""}, {"summary", none.SerializeAsString()}});
  BITWRIGHT_ASSERT_OK(rig.scheduler->CompleteTask(request));
  rig.scheduler->Settle();
  ASSERT_OK_AND_ASSIGN(const v1::Job failed, rig.jobs->Get(kCaller, job.name()));
  EXPECT_EQ(failed.state(), v1::Job::FAILED);
  EXPECT_EQ(ErrorReason(FromProto(failed.error())), "DATA_TOO_SHORT");
}

TEST(JobLife, AnOutputThatIsNoMessageFailsTheJob) {
  Rig rig;
  const v1::Job job = rig.QueuedJob();
  const std::string worker = rig.AddWorker();
  const v1::Lease lease = rig.Lease(worker);
  const auto request = rig.ResultOf(worker, lease, {{"summary", "\xff\xff"}});
  BITWRIGHT_ASSERT_OK(rig.scheduler->CompleteTask(request));
  ASSERT_OK_AND_ASSIGN(const v1::Job failed, rig.jobs->Get(kCaller, job.name()));
  EXPECT_EQ(ErrorReason(FromProto(failed.error())), "TASK_OUTPUT_INVALID");
}

// Cancelled after n tasks, for every n of the whole job.
TEST(JobLife, CanBeCancelledAtEveryStep) {
  Rig rig;
  const v1::Model model = rig.ReadyModel();
  const std::string worker = rig.AddWorker();
  std::set<std::string> kinds;
  for (int steps = 0;; ++steps) {
    // Another priority each time does not change the tasks, another budget would; the cache must not end it early.
    v1::JobSpec spec = rig.Spec(model.name(), 4.0 + 0.01 * steps);
    *spec.mutable_calibration(0)->mutable_blob() = ToProto(rig.Put("text " + std::to_string(steps)));
    *spec.mutable_evaluation(0)->mutable_blob() = ToProto(rig.Put("other " + std::to_string(steps)));
    const v1::Job job = rig.CreateJob(spec);
    if (rig.RunAll(worker, steps) < steps) break;  // past the end
    const auto lease = rig.TryLease(worker);
    ASSERT_THAT(lease, IsOk());
    if (!lease->has_value()) break;
    kinds.insert((*lease)->spec().kind());
    EXPECT_FALSE(rig.Lost(worker, **lease));
    ASSERT_OK_AND_ASSIGN(const v1::Job cancelled, rig.jobs->Cancel(kCaller, job.name()));
    EXPECT_EQ(cancelled.state(), v1::Job::CANCELLED);
    EXPECT_TRUE(rig.Lost(worker, **lease));
    EXPECT_THAT(rig.Complete(worker, **lease), HasReason("LEASE_LOST"));
    EXPECT_FALSE(rig.TryLease(worker)->has_value());
    BITWRIGHT_EXPECT_OK(rig.jobs->Cancel(kCaller, job.name())) << "cancelling again";
    BITWRIGHT_EXPECT_OK(rig.jobs->Delete(kCaller, job.name()));
  }
  EXPECT_GE(kinds.size(), 10u);
}

}  // namespace
}  // namespace bitwright::server
