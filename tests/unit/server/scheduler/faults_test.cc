#include <string>
#include <thread>

#include "absl/synchronization/notification.h"
#include "google/rpc/status.pb.h"
#include "proto/base/errors.h"
#include "proto/base/status_macros.h"
#include "proto/contract/reasons.h"
#include "proto/contract/rpc_status.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/server/support/rig.h"

namespace bitwright::server {
namespace {

v1::Job Job(Rig& rig, const std::string& name) {
  const auto job = rig.jobs->Get(kCaller, name);
  EXPECT_THAT(job, IsOk());
  return *job;
}

TEST(Faults, AStoreThatRefusesNowAndThenCostsTimeAlone) {
  std::string artifact;
  {
    Rig rig;
    const v1::Job job = rig.QueuedJob();
    rig.RunAll(rig.AddWorker());
    artifact = Job(rig, job.name()).artifact().SerializeAsString();
  }
  for (const int every : {2, 3, 5}) {
    Rig rig;
    const v1::Job job = rig.QueuedJob();
    const std::string worker = rig.AddWorker();
    for (int round = 0; round < 3000 && Job(rig, job.name()).state() <= v1::Job::RUNNING; ++round) {
      rig.faults->RefuseEvery(every);
      const auto lease = rig.TryLease(worker);
      ASSERT_THAT(lease, IsOk());
      if (!lease->has_value()) {
        rig.Pass(0.5);
        continue;
      }
      rig.faults->RefuseEvery(0);  // uploads are not the matter here
      const v1::CompleteTaskRequest request = rig.Results(worker, **lease);
      rig.faults->RefuseEvery(every);
      for (int attempt = 0; attempt < 50; ++attempt) {
        const absl::Status status = rig.scheduler->CompleteTask(request);
        if (status.ok()) break;
        ASSERT_EQ(ErrorReason(status), Reason::kDiskFull) << status;
      }
    }
    const v1::Job done = Job(rig, job.name());
    EXPECT_EQ(done.state(), v1::Job::SUCCEEDED) << every;
    EXPECT_EQ(done.artifact().SerializeAsString(), artifact);
    EXPECT_GT(rig.faults->refused(), 5) << every;
    rig.faults->RefuseEvery(0);
  }
}

TEST(Faults, WhileTheStoreRefusesTheJobSaysSoAndGoesOnByItself) {
  Rig rig;
  const v1::Job job = rig.QueuedJob();
  const std::string worker = rig.AddWorker();
  rig.faults->RefuseEvery(1);
  bool leased = false;
  rig.scheduler->LeaseTask(worker, absl::Seconds(90), [&](auto lease) { leased = lease->has_value(); });
  rig.scheduler->Settle();
  rig.Pass(12);
  EXPECT_FALSE(leased);
  EXPECT_EQ(Job(rig, job.name()).state(), v1::Job::QUEUED);
  EXPECT_EQ(Job(rig, job.name()).waiting().reason(), "SERVER_STORAGE");
  rig.faults->RefuseEvery(0);
  rig.Pass(31);
  EXPECT_TRUE(leased) << "the call that waited gets its task";
}

TEST(Faults, WhatRanAndCannotBeWrittenIsSaidToo) {
  Rig rig;
  const v1::Job job = rig.QueuedJob();
  const std::string worker = rig.AddWorker();
  const v1::Lease lease = rig.Lease(worker);
  rig.faults->RefuseEvery(1);
  EXPECT_THAT(rig.FailLease(worker, lease, absl::UnavailableError("its disk is full"), true), HasReason("DISK_FULL"));
  rig.Pass(2);
  EXPECT_EQ(Job(rig, job.name()).waiting().reason(), "SERVER_STORAGE") << "though its task counts as leased";
  rig.faults->RefuseEvery(0);
  rig.Pass(10);
  EXPECT_FALSE(Job(rig, job.name()).has_waiting()) << Job(rig, job.name()).waiting().reason();
  const v1::Lease again = rig.Lease(worker);
  const v1::CompleteTaskRequest results = rig.Results(worker, again);
  rig.faults->RefuseEvery(1);
  EXPECT_THAT(rig.scheduler->CompleteTask(results), HasReason("DISK_FULL"));
  rig.Pass(2);
  EXPECT_EQ(Job(rig, job.name()).waiting().reason(), "SERVER_STORAGE");
  rig.faults->RefuseEvery(0);
  BITWRIGHT_EXPECT_OK(rig.scheduler->CompleteTask(results)) << "the lease is kept for it";
  rig.Pass(2);
  EXPECT_FALSE(Job(rig, job.name()).has_waiting()) << Job(rig, job.name()).waiting().reason();
}

TEST(Faults, ACancellationThatIsNotStoredIsNotAcknowledged) {
  Rig rig;
  const v1::Job job = rig.QueuedJob();
  rig.faults->RefuseEvery(1);
  EXPECT_THAT(rig.jobs->Cancel(kCaller, job.name()), HasReason("DISK_FULL"));
  rig.faults->RefuseEvery(0);
  rig.scheduler->Settle();
  EXPECT_EQ(Job(rig, job.name()).state(), v1::Job::QUEUED);
  rig.RunAll(rig.AddWorker());
  EXPECT_EQ(Job(rig, job.name()).state(), v1::Job::SUCCEEDED) << "it goes on";
}

TEST(Faults, AFailureThatIsNotStoredIsStoredLater) {
  Rig rig;
  const v1::Job job = rig.QueuedJob();
  const std::string worker = rig.AddWorker();
  const v1::Lease lease = rig.Lease(worker);
  // The answer waits for the end, which the store refuses at first.
  rig.faults->RefuseEvery(1);
  std::thread failing([&] {
    v1::FailTaskRequest request;
    request.set_worker(worker);
    request.set_task(lease.task());
    request.set_fencing_token(lease.fencing_token());
    *request.mutable_error() = ToProto(absl::InvalidArgumentError("its own fault"));
    BITWRIGHT_EXPECT_OK(rig.scheduler->FailTask(request));
  });
  while (rig.faults->refused() == 0) std::this_thread::yield();
  rig.scheduler->Settle();
  EXPECT_EQ(Job(rig, job.name()).state(), v1::Job::RUNNING);
  rig.faults->RefuseEvery(0);
  rig.Pass(1);
  failing.join();
  rig.scheduler->Settle();
  EXPECT_EQ(Job(rig, job.name()).state(), v1::Job::FAILED);
}

// A full disk fails the uploads of workers, again and again.
TEST(Faults, AFullDiskCountsNoAttempt) {
  Rig rig;
  const v1::Job job = rig.QueuedJob();
  const std::string worker = rig.AddWorker();
  const absl::Status full = MakeError(absl::StatusCode::kResourceExhausted, Reason::kDiskFull, "no room");
  for (int i = 0; i < 10; ++i) {
    BITWRIGHT_ASSERT_OK(rig.FailLease(worker, rig.Lease(worker), full, true));
    rig.Pass(6);
  }
  rig.RunAll(worker);
  EXPECT_EQ(Job(rig, job.name()).state(), v1::Job::SUCCEEDED);
}

TEST(Faults, WhileWorkIsPausedNothingBeginsAndJobsSayWhy) {
  Rig rig;
  const v1::Job job = rig.QueuedJob();
  const std::string worker = rig.AddWorker();
  v1::Notice low;
  low.set_reason("DISK_LOW");
  rig.scheduler->Pause(low);
  EXPECT_FALSE(rig.TryLease(worker)->has_value());
  rig.Pass(2);
  EXPECT_EQ(Job(rig, job.name()).waiting().reason(), "DISK_LOW");
  rig.scheduler->Pause(std::nullopt);
  rig.RunAll(rig.AddWorker());
  EXPECT_EQ(Job(rig, job.name()).state(), v1::Job::SUCCEEDED);
}

TEST(Faults, ACorruptRowFailsItsOwnJobAlone) {
  Rig rig;
  const v1::Model model = rig.ReadyModel();
  const v1::Job bad = rig.CreateJob(rig.Spec(model.name()));
  const v1::Job good = rig.CreateJob(rig.Spec(model.name(), 3.5));
  BITWRIGHT_ASSERT_OK(rig.store->Write([&](Transaction& tx) -> absl::Status {
    ABSL_ASSIGN_OR_RETURN(std::optional<JobRow> row, tx.GetJob(bad.name()));
    row->recipe = "\xff\xff\xff";
    return tx.PutJob(*row);
  }));
  rig.Restart();
  const v1::Job failed = Job(rig, bad.name());
  EXPECT_EQ(failed.state(), v1::Job::FAILED);
  EXPECT_EQ(ErrorReason(FromProto(failed.error())), "ROW_CORRUPT");
  rig.RunAll(rig.AddWorker());
  EXPECT_EQ(Job(rig, good.name()).state(), v1::Job::SUCCEEDED);
}

// The server lost the output of a finished task, as its consumer finds out.
TEST(Faults, ALostOutputIsMadeAgain) {
  Rig rig;
  const v1::Job job = rig.QueuedJob();
  const std::string worker = rig.AddWorker();
  rig.RunAll(worker, 2);
  v1::Lease lease = rig.Lease(worker);
  while (lease.spec().kind() != "profile" && lease.spec().kind() != "check") {
    BITWRIGHT_ASSERT_OK(rig.Complete(worker, lease));
    lease = rig.Lease(worker);
  }
  const v1::TaskInput* input = nullptr;
  for (const v1::TaskInput& one : lease.spec().inputs()) {
    if (one.name().starts_with("hidden") || one.name().starts_with("statistics")) input = &one;
  }
  ASSERT_NE(input, nullptr) << lease.spec().DebugString();
  const BlobDigest digest = *FromProto(input->digest());
  BITWRIGHT_ASSERT_OK(rig.blobs->Remove(digest));
  const absl::Status gone =
      MakeError(absl::StatusCode::kNotFound, Reason::kBlobNotFound, "gone", {{"digest", digest.ToString()}});
  BITWRIGHT_ASSERT_OK(rig.FailLease(worker, lease, gone, true));
  EXPECT_THAT(rig.metrics->Text(), ::testing::HasSubstr("bitwright_blobs_lost_total 1"));
  rig.Pass(6);
  rig.RunAll(rig.AddWorker());
  EXPECT_EQ(Job(rig, job.name()).state(), v1::Job::SUCCEEDED) << Job(rig, job.name()).error().message();
}

// Two tasks read the text's ids: one finds them gone while the lease of the other is on its way to the disk.
TEST(Faults, ALeaseThatWasBeingWrittenWhenItsInputWasLostIsPutBack) {
  Rig rig;
  const v1::Job job = rig.QueuedJob();
  const std::string worker = rig.AddWorker();
  const std::string other = rig.AddWorker();
  v1::Lease lease = rig.Lease(worker);
  for (; lease.spec().kind() != "evaluate"; lease = rig.Lease(worker)) {
    BITWRIGHT_ASSERT_OK(rig.Complete(worker, lease));
  }
  const v1::TaskInput* ids = nullptr;
  for (const v1::TaskInput& input : lease.spec().inputs()) {
    if (input.name() == "ids") ids = &input;
  }
  ASSERT_NE(ids, nullptr);
  const BlobDigest digest = *FromProto(ids->digest());
  BITWRIGHT_ASSERT_OK(rig.blobs->Remove(digest));

  absl::Notification held, go;
  rig.store->Submit(
      [&](Transaction&) {
        if (!held.HasBeenNotified()) held.Notify();
        go.WaitForNotification();
        return absl::OkStatus();
      },
      [](const absl::Status&) {});
  held.WaitForNotification();
  std::optional<v1::Lease> second;
  const int64_t waiter =
      rig.scheduler->LeaseTask(other, absl::Seconds(60), [&](auto answer) { second = answer.value(); });
  std::thread failing([&] {
    const absl::Status gone =
        MakeError(absl::StatusCode::kNotFound, Reason::kBlobNotFound, "gone", {{"digest", digest.ToString()}});
    BITWRIGHT_EXPECT_OK(rig.FailLease(worker, lease, gone, true));
  });
  while (rig.metrics->Text().find("bitwright_blobs_lost_total 1") == std::string::npos) std::this_thread::yield();
  go.Notify();
  failing.join();
  rig.scheduler->CancelLease(waiter);
  rig.scheduler->Settle();
  if (second) {
    BITWRIGHT_EXPECT_OK(rig.Complete(other, *second));
  }
  rig.Pass(6);
  rig.RunAll(rig.AddWorker());
  EXPECT_EQ(Job(rig, job.name()).state(), v1::Job::SUCCEEDED) << Job(rig, job.name()).DebugString();
}

TEST(Faults, AnInputThatNoTaskMadeCannotBeMadeAgain) {
  Rig rig;
  const v1::Job job = rig.QueuedJob();
  const std::string worker = rig.AddWorker();
  const v1::Lease lease = rig.Lease(worker);
  const BlobDigest digest = *FromProto(lease.spec().inputs(0).digest());
  BITWRIGHT_ASSERT_OK(rig.blobs->Remove(digest));
  const absl::Status gone =
      MakeError(absl::StatusCode::kNotFound, Reason::kBlobNotFound, "gone", {{"digest", digest.ToString()}});
  BITWRIGHT_ASSERT_OK(rig.FailLease(worker, lease, gone, true));
  EXPECT_EQ(ErrorReason(FromProto(Job(rig, job.name()).error())), "BLOB_LOST");
}

TEST(Faults, AResultThatIsNotWhatItShouldBeIsNotKept) {
  Rig rig;
  const v1::Model model = rig.ReadyModel();
  const v1::JobSpec spec = rig.Spec(model.name());
  const v1::Job first = rig.CreateJob(spec);
  const std::string worker = rig.AddWorker();
  const v1::Lease lease = rig.Lease(worker);
  const auto request = rig.ResultOf(worker, lease, {{"ids", "\xff\xff"}, {"summary", "\xff\xff"}});
  BITWRIGHT_ASSERT_OK(rig.scheduler->CompleteTask(request));
  rig.scheduler->Settle();
  EXPECT_EQ(ErrorReason(FromProto(Job(rig, first.name()).error())), "TASK_OUTPUT_INVALID");
  const v1::Job second = rig.CreateJob(spec);
  rig.RunAll(worker);
  EXPECT_EQ(Job(rig, second.name()).state(), v1::Job::SUCCEEDED);
}

TEST(Faults, ATaskThatFoundNoMemoryGoesToAWorkerWithMore) {
  Rig rig;
  const v1::Job job = rig.QueuedJob();
  const int64_t less = int64_t{8} << 30;
  const std::string small = rig.AddWorker([&](auto& capacity) { capacity.set_memory_bytes(less); });
  const std::string large = rig.AddWorker([](auto& capacity) { capacity.set_cores(1); });
  const v1::Lease lease = rig.Lease(small);
  const absl::Status none = MakeError(absl::StatusCode::kResourceExhausted, Reason::kOutOfMemory, "no memory",
                                      {{"available_bytes", std::to_string(less)}});
  BITWRIGHT_ASSERT_OK(rig.FailLease(small, lease, none, true));
  rig.Pass(2);
  const auto other = rig.TryLease(small);
  EXPECT_TRUE(!other->has_value() || (*other)->task() != lease.task());
  EXPECT_EQ(rig.Lease(large).task(), lease.task());
}

}  // namespace
}  // namespace bitwright::server
