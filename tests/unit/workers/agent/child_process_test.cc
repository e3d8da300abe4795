#include "workers/agent/child_process.h"

#include <signal.h>

#include <cerrno>
#include <thread>

#include "google/rpc/status.pb.h"
#include "proto/contract/rpc_status.h"
#include "tests/support/fixtures.h"
#include "tests/support/status_matchers.h"
#include "workers/agent/child_slot.h"
#include "workers/base/files.h"

namespace bitwright::worker {
namespace {

using ::testing::HasSubstr;

const ChildOptions kFake{FAKE_WORKER, "cpu-avx2"};

class Child : public ::testing::Test {
 protected:
  Child() { ::signal(SIGPIPE, SIG_IGN); }

  absl::StatusOr<v1::ExecuteEvent> Execute(ChildProcess& child, const std::string& command, int64_t memory_limit = 0) {
    v1::ExecuteRequest request;
    request.mutable_task()->mutable_report()->set_model_display_name(command);
    request.set_input_dir(dir_.path());
    request.set_output_dir(dir_.path());
    request.set_threads(2);
    request.set_memory_limit_bytes(memory_limit);
    return child.Execute(request, [this](double) {
      if (on_progress_) on_progress_();
    });
  }
  // What the task wrote.
  std::string Ask(ChildProcess& child, const std::string& command) {
    const auto event = Execute(child, command);
    if (!event.ok() || !event->has_result()) return "no result";
    return *ReadFile(dir_ / "info.bin");
  }
  std::unique_ptr<ChildProcess> Start() {
    auto child = ChildProcess::Start(kFake);
    EXPECT_THAT(child, IsOk());
    return *std::move(child);
  }

  TempDir dir_;
  std::function<void()> on_progress_;
};

TEST_F(Child, SeesAnEmptyEnvironmentAndNoForeignFiles) {
  const auto child = Start();
  EXPECT_EQ(Ask(*child, "environment"), "OMP_NUM_THREADS=1\nopen 0 1 2 3 \nclass cpu-avx2\n");
}

TEST_F(Child, MayNotDoWhatNoTaskNeeds) {
  const auto child = Start();
  const std::string eperm = std::to_string(EPERM);
  const std::string denied = Ask(*child, "denied");
  if (denied.find("socket") == std::string::npos) GTEST_SKIP() << "no seccomp on this machine";
  EXPECT_EQ(denied, "socket " + eperm + "\nfork " + eperm + "\nexecve " + eperm + "\n");
}

TEST_F(Child, MayUseThreadsAndPrint) {
  const auto child = Start();
  EXPECT_EQ(Ask(*child, "threads"), "4950");
  EXPECT_EQ(Ask(*child, "print"), "12");
  EXPECT_EQ(Ask(*child, "threads"), "4950");
}

TEST_F(Child, CrashIsADeathWithItsSignal) {
  const auto child = Start();
  const auto event = Execute(*child, "crash");
  EXPECT_THAT(event, HasReason("CHILD_DIED"));
  EXPECT_THAT(std::string(event.status().message()), HasSubstr("signal 6"));
  EXPECT_THAT(Execute(*child, "pid"), HasReason("CHILD_DIED"));
}

TEST_F(Child, ExitIsADeathWithItsCode) {
  const auto child = Start();
  EXPECT_THAT(std::string(Execute(*child, "exit").status().message()), HasSubstr("code 3"));
}

TEST_F(Child, KillEndsARunningTask) {
  const auto child = Start();
  on_progress_ = [&] { child->Kill(); };  // it hangs from here on
  const auto event = Execute(*child, "hang");
  EXPECT_THAT(std::string(event.status().message()), HasSubstr("signal 9"));
}

TEST_F(Child, MemoryLimitIsTheTasksError) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "a sanitizer ends the process where memory ends";
#endif
  const auto child = Start();
  const auto event = Execute(*child, "memory", int64_t{256} << 20);
  ASSERT_THAT(event, IsOk());
  EXPECT_THAT(FromProto(event->error()), HasReason("MEMORY_LIMIT"));
}

TEST_F(Child, MissingProgramIsNotStarted) {
  EXPECT_THAT(ChildProcess::Start({"/nowhere/worker", "cpu-avx2"}), HasReason("CHILD_NOT_STARTED"));
}

TEST_F(Child, SlotKeepsOneChildForEachOwner) {
  ChildSlot slot(kFake);
  const MonotonicTime now;
  const auto run = [&](const std::string& owner) {
    const auto child = slot.Acquire(owner);
    const std::string pid = Ask(**child, "pid");
    slot.Release(true, now);
    return pid;
  };
  const std::string first = run("jobs/1");
  EXPECT_EQ(run("jobs/1"), first);
  const std::string second = run("jobs/2");
  EXPECT_NE(second, first);

  slot.EndUnlessLive({"jobs/2"});
  EXPECT_EQ(std::to_string(slot.pid()), second);
  slot.EndUnlessLive({"jobs/1"});
  EXPECT_EQ(slot.pid(), 0);

  run("jobs/2");
  slot.EndIfIdle(now + absl::Seconds(59), absl::Seconds(60));
  EXPECT_NE(slot.pid(), 0);
  EXPECT_EQ(slot.UntilIdle(now + absl::Seconds(59), absl::Seconds(60)), absl::Seconds(1));
  slot.EndIfIdle(now + absl::Seconds(60), absl::Seconds(60));
  EXPECT_EQ(slot.pid(), 0);

  ASSERT_THAT(slot.Acquire("jobs/2"), IsOk());
  slot.EndUnlessLive({});
  EXPECT_NE(slot.pid(), 0) << "a busy child is left alone";
  slot.Release(false, now);
  EXPECT_EQ(slot.pid(), 0);
}

}  // namespace
}  // namespace bitwright::worker
