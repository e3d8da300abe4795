#include <algorithm>
#include <functional>

#include "proto/base/errors.h"
#include "proto/contract/rpc_status.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/server/support/rig.h"

namespace bitwright::server {
namespace {

TEST(Lease, AnUnknownWorkerMustRegister) {
  Rig rig;
  EXPECT_THAT(rig.TryLease("workers/none"), HasReason("WORKER_UNKNOWN"));
  v1::HeartbeatRequest request;
  request.set_worker("workers/none");
  EXPECT_THAT(rig.scheduler->Heartbeat(request), HasReason("WORKER_UNKNOWN"));
}

TEST(Lease, AWaitingWorkerIsAnsweredWhenATaskComes) {
  Rig rig;
  const v1::Model model = rig.ReadyModel();
  const std::string worker = rig.AddWorker();
  int answers = 0;
  std::optional<v1::Lease> lease;
  rig.scheduler->LeaseTask(worker, absl::Seconds(20), [&](auto answer) {
    ++answers;
    lease = *answer;
  });
  EXPECT_EQ(answers, 0);
  rig.CreateJob(rig.Spec(model.name()));
  EXPECT_EQ(answers, 1);
  ASSERT_TRUE(lease.has_value());
  EXPECT_EQ(lease->spec().kind(), "tokenize");
  EXPECT_EQ(lease->spec().code_version(), "code1");
  EXPECT_EQ(lease->spec().compute_class(), "");
  EXPECT_EQ(lease->ttl().seconds(), 10);
}

TEST(Lease, AWaitEndsWithNothing) {
  Rig rig;
  const std::string worker = rig.AddWorker();
  int answers = 0;
  rig.scheduler->LeaseTask(worker, absl::Seconds(5), [&](auto answer) {
    ++answers;
    EXPECT_FALSE(answer->has_value());
  });
  rig.Pass(4.9);
  EXPECT_EQ(answers, 0);
  rig.Pass(0.2);
  EXPECT_EQ(answers, 1);
}

TEST(Lease, ACancelledWaitEndsOnce) {
  Rig rig;
  int answers = 0;
  const int64_t waiter = rig.scheduler->LeaseTask(rig.AddWorker(), absl::Seconds(1), [&](auto) { ++answers; });
  rig.scheduler->CancelLease(waiter);
  rig.scheduler->Settle();
  rig.scheduler->CancelLease(waiter);
  rig.scheduler->Settle();
  rig.Pass(2);
  EXPECT_EQ(answers, 1);
}

TEST(Lease, ExpiresAfterTtlAndGraceAndTheOldTokenIsRefused) {
  Rig rig;
  const v1::Job job = rig.QueuedJob();
  const std::string first = rig.AddWorker();
  const std::string second = rig.AddWorker();
  const v1::Lease old = rig.Lease(first);
  rig.Pass(19.9);
  EXPECT_FALSE(rig.Lost(first, old)) << "renewed in time";
  rig.Pass(20.1);
  EXPECT_TRUE(rig.Lost(first, old));
  rig.Pass(2);  // back-off
  v1::Lease fresh = rig.Lease(second);
  if (fresh.task() != old.task()) fresh = rig.Lease(rig.AddWorker());
  ASSERT_EQ(fresh.task(), old.task());
  EXPECT_GT(fresh.fencing_token(), old.fencing_token());
  EXPECT_THAT(rig.Complete(first, old), HasReason("LEASE_LOST"));
  EXPECT_THAT(rig.FailLease(first, old, absl::InternalError("x"), false), HasReason("LEASE_LOST"));
  BITWRIGHT_EXPECT_OK(rig.Complete(second, fresh));
  EXPECT_THAT(rig.metrics->Text(), ::testing::HasSubstr("bitwright_lease_expiries_total 1"));
}

TEST(Lease, CompletingTwiceIsOk) {
  Rig rig;
  rig.QueuedJob();
  const std::string worker = rig.AddWorker();
  const v1::Lease lease = rig.Lease(worker);
  BITWRIGHT_ASSERT_OK(rig.Complete(worker, lease));
  BITWRIGHT_EXPECT_OK(rig.Complete(worker, lease));
  EXPECT_THAT(rig.scheduler->CompleteTask(rig.ResultOf(worker, lease, {})), HasReason("LEASE_LOST")) << "other outputs";
}

TEST(Lease, TheLastTaskOfAJobCanBeCompletedTwice) {
  Rig rig;
  const v1::Job job = rig.QueuedJob();
  const std::string worker = rig.AddWorker();
  v1::Lease last;
  while (true) {
    const auto lease = rig.TryLease(worker);
    ASSERT_THAT(lease, IsOk());
    if (!lease->has_value()) break;
    last = **lease;
    BITWRIGHT_ASSERT_OK(rig.Complete(worker, last));
  }
  EXPECT_EQ(last.spec().kind(), "report");
  BITWRIGHT_EXPECT_OK(rig.Complete(worker, last));
}

TEST(Lease, ResultsMustBeHeld) {
  Rig rig;
  rig.QueuedJob();
  const std::string worker = rig.AddWorker();
  const v1::Lease lease = rig.Lease(worker);
  v1::CompleteTaskRequest request = rig.ResultOf(worker, lease, {});
  auto* output = request.mutable_result()->add_outputs();
  output->set_name("ids");
  *output->mutable_digest() = ToProto(DigestOf("never uploaded"));
  EXPECT_THAT(rig.scheduler->CompleteTask(request), HasReason("BLOB_MISSING"));
  BITWRIGHT_EXPECT_OK(rig.Complete(worker, lease)) << "the lease is still there";
}

TEST(Lease, NumericTasksArePinnedToTheClassThatThePolicyChose) {
  Rig rig;
  const v1::Job job = rig.QueuedJob();
  const std::string avx2 = rig.AddWorker();
  const std::string avx512 = rig.AddWorker([](auto& capacity) { capacity.set_compute_class("cpu-avx512"); });
  const std::string newer = rig.AddWorker([](auto& capacity) { capacity.set_code_version("code2"); });
  rig.RunAll(avx2, 2);  // both tokenizations: not numeric
  EXPECT_FALSE(rig.TryLease(avx2)->has_value()) << "whoever asks first";
  EXPECT_FALSE(rig.TryLease(newer)->has_value());
  const v1::Lease lease = rig.Lease(avx512);
  EXPECT_EQ(lease.spec().compute_class(), "cpu-avx512");
  ASSERT_OK_AND_ASSIGN(const v1::Job pinned, rig.jobs->Get(kCaller, job.name()));
  EXPECT_EQ(pinned.compute_class(), "cpu-avx512");
  BITWRIGHT_ASSERT_OK(rig.Complete(avx512, lease));
  rig.scheduler->DeregisterWorker(avx512);
  rig.scheduler->Settle();
  EXPECT_FALSE(rig.TryLease(avx2)->has_value()) << "it stays with its class";
}

TEST(Lease, AClassThatIsGoneBeforeAnythingRanOnItIsChosenAnew) {
  Rig rig;
  rig.QueuedJob();
  const std::string avx512 = rig.AddWorker([](auto& capacity) { capacity.set_compute_class("cpu-avx512"); });
  rig.RunAll(avx512, 2);
  rig.scheduler->DeregisterWorker(avx512);
  EXPECT_EQ(rig.Lease(rig.AddWorker()).spec().compute_class(), "cpu-avx2");
}

// Lets time pass while a worker of another kind is there.
void PassWith(Rig& rig, double seconds, const std::function<void(v1::WorkerCapacity&)>& other) {
  for (; seconds > 0; seconds -= 10) {
    rig.AddWorker(other);
    rig.Pass(std::min(seconds, 10.0));
  }
}

TEST(Lease, AJobWhoseWorkersAreGoneForGoodFails) {
  Rig rig;
  const v1::Job job = rig.QueuedJob();
  const std::string old = rig.AddWorker();
  rig.RunAll(old, 4);
  rig.scheduler->DeregisterWorker(old);
  rig.Pass(3600);
  EXPECT_EQ(rig.jobs->Get(kCaller, job.name())->state(), v1::Job::RUNNING) << "no worker at all: it waits";
  const auto newer = [](auto& capacity) { capacity.set_code_version("code2"); };
  PassWith(rig, 590, newer);
  EXPECT_EQ(rig.jobs->Get(kCaller, job.name())->state(), v1::Job::RUNNING);
  PassWith(rig, 20, newer);
  EXPECT_EQ(rig.jobs->Get(kCaller, job.name())->state(), v1::Job::FAILED);
  EXPECT_EQ(ErrorReason(FromProto(rig.jobs->Get(kCaller, job.name())->error())), "WORKER_CLASS_GONE");
}

TEST(Lease, AWorkerGetsNoMoreThanItsSlots) {
  Rig rig;
  rig.QueuedJob();
  const std::string worker = rig.AddWorker();
  rig.Lease(worker);
  EXPECT_FALSE(rig.TryLease(worker)->has_value());
  const std::string wide = rig.AddWorker([](auto& capacity) { capacity.set_slots(2); });
  rig.Lease(wide);
}

std::optional<v1::Lease> SmallLease(Rig& rig, const std::string& worker) { return *rig.TryLease(worker, true); }

TEST(Lease, ASmallTaskRunsBesideALongOne) {
  Rig rig;
  const v1::Job job = rig.QueuedJob();
  const std::string worker = rig.AddWorker();
  EXPECT_EQ(rig.RunAll(worker, 2), 2);  // both tokenizations
  const v1::Lease long_task = rig.Lease(worker);
  EXPECT_EQ(long_task.spec().kind(), "curvature");
  EXPECT_FALSE(SmallLease(rig, worker).has_value()) << "no small task is ready";
  v1::CreateModelRequest request;
  *request.mutable_manifest() = rig.Files("b");
  ASSERT_OK_AND_ASSIGN(const v1::Model model, rig.models->Create(kCaller, request));
  const std::optional<v1::Lease> inspect = SmallLease(rig, worker);
  ASSERT_TRUE(inspect.has_value());
  EXPECT_EQ(inspect->spec().kind(), "inspect");
  EXPECT_FALSE(rig.Lost(worker, long_task));
  EXPECT_FALSE(rig.Lost(worker, *inspect));
  BITWRIGHT_ASSERT_OK(rig.Complete(worker, *inspect));
  EXPECT_EQ(rig.models->Get(kCaller, model.name())->state(), v1::Model::READY) << "while the long one still runs";
  EXPECT_FALSE(rig.TryLease(worker)->has_value()) << "a second long task would be too much";
  BITWRIGHT_ASSERT_OK(rig.Complete(worker, long_task));
}

TEST(Lease, ALaneOfSmallTasksTakesNoMemoryFromLongOnes) {
  Rig rig;
  const v1::Job job = rig.QueuedJob();
  const std::string worker = rig.AddWorker([](auto& capacity) { capacity.set_memory_bytes(int64_t{3} << 27); });
  const std::optional<v1::Lease> small = SmallLease(rig, worker);
  ASSERT_TRUE(small.has_value());
  EXPECT_EQ(small->spec().kind(), "tokenize");
  const v1::Lease other = rig.Lease(worker);
  EXPECT_EQ(other.spec().kind(), "tokenize") << "two of 256 MiB each, in 384 MiB and the lane's own";
}

TEST(Lease, AWorkerWithoutThatLaneCountsAllMemory) {
  Rig rig;
  rig.QueuedJob();
  const std::string worker = rig.AddWorker([](auto& capacity) {
    capacity.set_memory_bytes(int64_t{3} << 27);
    capacity.set_slots(2);
  });
  rig.Lease(worker);
  EXPECT_FALSE(rig.TryLease(worker)->has_value());
}

TEST(Lease, GoodbyeReturnsLeasesAtOnceWithoutAnAttempt) {
  Rig rig;
  rig.QueuedJob();
  for (int i = 0; i < 5; ++i) {
    const std::string worker = rig.AddWorker();
    rig.Lease(worker);
    rig.scheduler->DeregisterWorker(worker);
    rig.scheduler->Settle();
  }
  rig.Lease(rig.AddWorker());
}

TEST(Lease, OneThatDidNotReachItsWorkerIsPutBack) {
  Rig rig;
  rig.QueuedJob();
  const std::string worker = rig.AddWorker();
  const v1::Lease lost = rig.Lease(worker);
  rig.scheduler->ReturnLease(lost);
  rig.scheduler->Settle();
  const v1::Lease again = rig.Lease(worker);
  EXPECT_EQ(again.task(), lost.task());
  rig.scheduler->ReturnLease(lost);
  rig.scheduler->Settle();
  BITWRIGHT_EXPECT_OK(rig.Complete(worker, again)) << "the old token returns nothing";
}

TEST(Lease, ADeadProcessLosesItsLeasesAtOnce) {
  Rig rig;
  rig.QueuedJob();
  const std::string worker = rig.AddWorker();
  const v1::Lease lease = rig.Lease(worker);
  rig.scheduler->ReleaseProcess("other-host", 42);
  rig.scheduler->Settle();
  EXPECT_THAT(rig.Complete(worker, lease), HasReason("LEASE_LOST"));
  EXPECT_TRUE(rig.scheduler->ListWorkers().empty());
}

TEST(Lease, ATaskTooLargeForEveryWorkerWaitsForALargerOneAsLongAsForAMissingClass) {
  Rig rig;
  const v1::Job job = rig.QueuedJob();
  rig.Pass(1000);
  EXPECT_EQ(rig.jobs->Get(kCaller, job.name())->state(), v1::Job::QUEUED) << "no worker yet";
  const auto small = [](auto& capacity) { capacity.set_memory_bytes(1000); };
  PassWith(rig, 590, small);
  ASSERT_OK_AND_ASSIGN(const v1::Job waiting, rig.jobs->Get(kCaller, job.name()));
  EXPECT_EQ(waiting.state(), v1::Job::QUEUED);
  EXPECT_EQ(waiting.waiting().reason(), "WORKER_MISSING");
  EXPECT_THAT(waiting.waiting().message(), ::testing::HasSubstr("MiB of memory"));
  PassWith(rig, 20, small);
  ASSERT_OK_AND_ASSIGN(const v1::Job failed, rig.jobs->Get(kCaller, job.name()));
  EXPECT_EQ(failed.state(), v1::Job::FAILED);
  EXPECT_EQ(ErrorReason(FromProto(failed.error())), "TASK_TOO_LARGE");
}

TEST(Lease, ALargerWorkerThatComesInTimeRunsIt) {
  Rig rig;
  const v1::Job job = rig.QueuedJob();
  PassWith(rig, 500, [](auto& capacity) { capacity.set_memory_bytes(1000); });
  rig.RunAll(rig.AddWorker());
  EXPECT_EQ(rig.jobs->Get(kCaller, job.name())->state(), v1::Job::SUCCEEDED);
}

// A stall of the server itself, or a suspended machine: no heartbeat could be heard.
TEST(Lease, NoneExpiresWhileTheServerWasAway) {
  Rig rig;
  rig.QueuedJob();
  const std::string worker = rig.AddWorker();
  const v1::Lease lease = rig.Lease(worker);
  rig.Pass(15);
  rig.clock.Advance(60);
  rig.Tick();
  EXPECT_EQ(rig.scheduler->ListWorkers().size(), 1u);
  rig.Pass(15);
  EXPECT_FALSE(rig.Lost(worker, lease));
  rig.Pass(21);
  EXPECT_TRUE(rig.Lost(worker, lease)) << "without a stall it ends";
}

TEST(Lease, AResultComesFromItsWorkerAlone) {
  Rig rig;
  rig.QueuedJob();
  const std::string worker = rig.AddWorker();
  const std::string other = rig.AddWorker();
  const v1::Lease lease = rig.Lease(worker);
  EXPECT_THAT(rig.Complete(other, lease), HasReason("LEASE_LOST"));
  EXPECT_THAT(rig.FailLease(other, lease, absl::InternalError("x"), false), HasReason("LEASE_LOST"));
  EXPECT_TRUE(rig.Lost(other, lease));
  v1::Lease guessed = lease;
  guessed.set_fencing_token(1);
  EXPECT_THAT(rig.Complete(worker, guessed), HasReason("LEASE_LOST"));
  BITWRIGHT_EXPECT_OK(rig.Complete(worker, lease));
}

TEST(Lease, SilentWorkersAreForgotten) {
  Rig rig;
  const std::string worker = rig.AddWorker();
  rig.Pass(61);
  EXPECT_TRUE(rig.scheduler->ListWorkers().empty());
  EXPECT_THAT(rig.TryLease(worker), HasReason("WORKER_UNKNOWN"));
}

TEST(Lease, ADrainingServerLeasesNothing) {
  Rig rig;
  const std::string worker = rig.AddWorker();
  int answers = 0;
  rig.scheduler->LeaseTask(worker, absl::Seconds(1), [&](auto answer) {
    ++answers;
    EXPECT_FALSE(answer->has_value());
  });
  rig.scheduler->BeginDrain();
  rig.scheduler->Settle();
  EXPECT_EQ(answers, 1);
  EXPECT_THAT(rig.TryLease(worker), HasReason("SERVER_DRAINING"));
  v1::HeartbeatRequest request;
  request.set_worker(worker);
  EXPECT_TRUE(rig.scheduler->Heartbeat(request)->drain());
}

TEST(Lease, IsASlotOfItsKindOfWorkers) {
  Rig rig;
  rig.QueuedJob();
  rig.AddWorker([](v1::WorkerCapacity& capacity) {
    capacity.set_device("cpu");
    capacity.set_compute_class("cpu-avx512");
    capacity.set_slots(3);
  });
  rig.Lease(rig.AddWorker([](v1::WorkerCapacity& capacity) { capacity.set_device("cpu"); }));
  rig.Tick();
  for (const char* line : {"bitwright_worker_slots{compute_class=\"cpu-avx512\",device=\"cpu\"} 3",
                           "bitwright_worker_slots_busy{compute_class=\"cpu-avx512\",device=\"cpu\"} 0",
                           "bitwright_worker_slots_busy{compute_class=\"cpu-avx2\",device=\"cpu\"} 1"}) {
    EXPECT_THAT(rig.metrics->Text(), ::testing::HasSubstr(line));
  }
}

}  // namespace
}  // namespace bitwright::server
