#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/status_matchers.h"
#include "tests/unit/server/support/rig.h"

namespace bitwright::server {
namespace {

// Restarted after n tasks, for every second n: finished tasks are kept and the artifact is the same.
TEST(Restart, ContinuesFromFinishedTasksAtEveryStep) {
  std::string artifact;
  int total = 0;
  {
    Rig rig;
    const v1::Job job = rig.QueuedJob();
    total = rig.RunAll(rig.AddWorker());
    artifact = rig.jobs->Get(kCaller, job.name())->artifact().SerializeAsString();
  }
  for (int steps = 0; steps <= total; steps += 2) {
    Rig rig;
    const v1::Job job = rig.QueuedJob();
    ASSERT_EQ(rig.RunAll(rig.AddWorker(), steps), steps);
    const int64_t revision = rig.jobs->Get(kCaller, job.name())->revision();
    rig.Pass(0.1);
    rig.Restart();
    if (steps < total) {
      EXPECT_GT(rig.jobs->Get(kCaller, job.name())->revision(), revision);
    }
    EXPECT_EQ(rig.RunAll(rig.AddWorker()), total - steps);
    ASSERT_OK_AND_ASSIGN(const v1::Job done, rig.jobs->Get(kCaller, job.name()));
    EXPECT_EQ(done.state(), v1::Job::SUCCEEDED);
    EXPECT_EQ(done.artifact().SerializeAsString(), artifact);
    int cached = 0;
    for (const v1::Stage& stage : done.stages()) cached += stage.cached();
    EXPECT_EQ(cached, 0);
  }
}

TEST(Restart, ALeaseOfBeforeStaysValidUnderTheWorkersNewName) {
  Rig rig;
  rig.QueuedJob();
  const std::string worker = rig.AddWorker();
  const v1::Lease lease = rig.Lease(worker);
  rig.Restart();
  EXPECT_THAT(rig.TryLease(worker), HasReason("WORKER_UNKNOWN"));
  const std::string again = rig.AddWorker();
  for (int i = 0; i < 5; ++i) {
    EXPECT_FALSE(rig.Lost(again, lease));
    rig.Pass(15);
  }
  BITWRIGHT_EXPECT_OK(rig.Complete(again, lease));
}

TEST(Restart, ALeaseThatNobodyRenewsIsReleased) {
  Rig rig;
  rig.QueuedJob();
  const v1::Lease lease = rig.Lease(rig.AddWorker());
  rig.Restart();
  rig.Pass(20.1);
  rig.Pass(2);
  const std::string worker = rig.AddWorker([](auto& capacity) { capacity.set_slots(2); });
  const v1::Lease a = rig.Lease(worker);
  const v1::Lease b = rig.Lease(worker);
  EXPECT_TRUE(a.task() == lease.task() || b.task() == lease.task());
}

TEST(Restart, ALeaseOfADeadProcessOfThisHostIsReleasedAtOnce) {
  Rig rig;
  rig.QueuedJob();
  const std::string dead = rig.AddWorker([](auto& capacity) {
    capacity.set_host("this-host");
    capacity.set_process_id(0x3ffffff0);  // above the largest process id of Linux
  });
  const v1::Lease lease = rig.Lease(dead);
  const std::string alive = rig.AddWorker([](auto& capacity) {
    capacity.set_host("this-host");
    capacity.set_process_id(::getpid());
  });
  const v1::Lease kept = rig.Lease(alive);
  rig.Restart();
  EXPECT_TRUE(rig.Lost(rig.AddWorker(), lease));
  EXPECT_FALSE(rig.Lost(rig.AddWorker(), kept));
  EXPECT_EQ(rig.Lease(rig.AddWorker()).task(), lease.task());
}

// The workers of a killed server end a moment after it, and nobody may reap them for a while.
TEST(Restart, ALeaseIsReleasedWhenItsProcessEndsAfterTheStart) {
  Rig rig;
  rig.QueuedJob();
  const pid_t process = ::fork();
  ASSERT_GE(process, 0);
  if (process == 0) {
    ::pause();
    ::_exit(0);
  }
  const v1::Lease lease = rig.Lease(rig.AddWorker([process](auto& capacity) {
    capacity.set_host("this-host");
    capacity.set_process_id(process);
  }));
  rig.Restart();
  rig.Tick();
  EXPECT_NE(rig.Lease(rig.AddWorker()).task(), lease.task()) << "its process lives";
  ::kill(process, SIGKILL);
  siginfo_t info = {};
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(process), &info, WEXITED | WNOWAIT), 0);
  rig.Tick();
  EXPECT_EQ(rig.Lease(rig.AddWorker()).task(), lease.task());
  EXPECT_TRUE(rig.Lost(rig.AddWorker(), lease)) << "its fencing token is of the past";
  ::waitpid(process, nullptr, 0);
}

TEST(Restart, InspectionGoesOn) {
  Rig rig;
  v1::CreateModelRequest request;
  *request.mutable_manifest() = rig.Files();
  ASSERT_OK_AND_ASSIGN(const v1::Model model, rig.models->Create(kCaller, request));
  rig.Restart();
  rig.RunAll(rig.AddWorker());
  EXPECT_EQ(rig.models->Get(kCaller, model.name())->state(), v1::Model::READY);
}

TEST(Restart, AttemptsAreRemembered) {
  Rig rig;
  const v1::Job job = rig.QueuedJob();
  rig.Lease(rig.AddWorker());  // parked
  for (int attempt = 1; attempt <= 3; ++attempt) {
    const std::string worker = rig.AddWorker();
    BITWRIGHT_ASSERT_OK(rig.FailLease(worker, rig.Lease(worker), absl::UnavailableError("crash"), true));
    if (attempt < 3) rig.Restart();
    rig.Pass(6);
  }
  EXPECT_EQ(rig.jobs->Get(kCaller, job.name())->state(), v1::Job::FAILED);
}

}  // namespace
}  // namespace bitwright::server
