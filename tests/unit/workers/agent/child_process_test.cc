#include "workers/agent/child_process.h"

#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <thread>

#include "google/rpc/status.pb.h"
#include "proto/contract/rpc_status.h"
#include "tests/support/fixtures.h"
#include "tests/support/status_matchers.h"
#include "workers/agent/child_slot.h"
#include "workers/agent/landlock.h"
#include "workers/base/files.h"

namespace bitwright::worker {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

const ChildOptions kFake{FAKE_WORKER, "cpu-avx2", "", ""};

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

TEST_F(Child, MayNotSignalItsAgent) {
  const auto child = Start();
  if (Ask(*child, "socket ") == "0") GTEST_SKIP() << "no seccomp on this machine";
  EXPECT_EQ(Ask(*child, "signal "), std::to_string(EPERM));
}

// Of a card there is what CUDA asks for, and no more.
TEST_F(Child, OnACardSeesThatCardAndMayMakeTheDriversSocket) {
  ::setenv("CUDA_VISIBLE_DEVICES", "GPU-a,GPU-b", 1);
  ChildOptions options = kFake;
  options.compute_class = "cuda-fake";
  options.device = "cuda:1";
  auto started = ChildProcess::Start(options);
  ::unsetenv("CUDA_VISIBLE_DEVICES");
  ASSERT_THAT(started, IsOk());
  ChildProcess& child = **started;
  EXPECT_THAT(Ask(child, "environment"),
              StartsWith("OMP_NUM_THREADS=1\nCUDA_CACHE_DISABLE=1\nCUDA_VISIBLE_DEVICES=GPU-b\nopen 0 1 2 3 "));
  const auto event = Execute(child, "device");
  ASSERT_THAT(event, IsOk());
  const absl::Status failed = FromProto(event->error());
  EXPECT_THAT(failed, HasReason("DEVICE_FAILED"));
  EXPECT_THAT(failed.message(), HasSubstr("card GPU-b, number 0"));
  EXPECT_EQ(Ask(child, "local seqpacket"), "0");
  if (Ask(child, "socket ") == "0") GTEST_SKIP() << "no seccomp on this machine";
  EXPECT_EQ(Ask(child, "local stream"), std::to_string(EPERM));
  const std::string denied = Ask(child, "denied");
  for (const char* call : {"socket", "fork", "execve"}) EXPECT_THAT(denied, HasSubstr(call));
}

TEST_F(Child, OnTheProcessorHasNoCardAndNoSocketOfAnyKind) {
  const auto child = Start();
  EXPECT_EQ(Ask(*child, "device"), "none");
  if (Ask(*child, "socket ") == "0") GTEST_SKIP() << "no seccomp on this machine";
  EXPECT_EQ(Ask(*child, "local seqpacket"), std::to_string(EPERM));
}

TEST_F(Child, OfACardsClassNeedsTheCard) {
  for (const auto& [compute_class, device] : {std::pair("cuda-fake", ""), std::pair("cpu-avx2", "cuda:0")}) {
    ChildOptions options = kFake;
    options.compute_class = compute_class;
    options.device = device;
    auto child = ChildProcess::Start(options);
    ASSERT_THAT(child, IsOk());
    EXPECT_THAT(Execute(**child, "pid"), HasReason("CHILD_DIED")) << compute_class;
  }
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

TEST_F(Child, BeingKilledForMemoryIsADeath) {
  const auto child = Start();
  const auto event = Execute(*child, "killed");
  EXPECT_THAT(event, HasReason("CHILD_DIED"));
  EXPECT_THAT(std::string(event.status().message()), HasSubstr("too little memory"));
}

TEST_F(Child, MemoryThatEndsIsAnErrorWithTheAmount) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "a sanitizer ends the process where memory ends";
#endif
  const auto child = Start();
  const auto event = Execute(*child, "memory", int64_t{256} << 20);
  ASSERT_THAT(event, IsOk());
  const absl::Status error = FromProto(event->error());
  EXPECT_THAT(error, HasReason("OUT_OF_MEMORY"));
  EXPECT_EQ(GetErrorDetail(error)->metadata.at("available_bytes"), std::to_string(int64_t{256} << 20));
}

TEST_F(Child, MissingProgramIsNotStarted) {
  EXPECT_THAT(ChildProcess::Start({"/nowhere/worker", "cpu-avx2", "", ""}), HasReason("CHILD_NOT_STARTED"));
}

// A data folder as a server has it, with the folders of a lane in it.
class ConfinedChild : public Child {
 protected:
  void SetUp() override {
    if (LandlockVersion() == 0) GTEST_SKIP() << "this kernel has no Landlock: nothing holds a child to its files";
    for (const char* folder : {"blobs", "tls", "lane/in/0", "lane/out/0", "lane/in/1", "lane/out/1"}) {
      std::filesystem::create_directories(dir_ / folder);
    }
    for (const char* file : {"db.sqlite", "blobs/mine", "blobs/other", "worker-token", "tls/identity.pem"})
      ASSERT_THAT(WriteFile(dir_ / file, file), IsOk());
  }
  std::unique_ptr<ChildProcess> StartConfined() {
    auto child = ChildProcess::Start({FAKE_WORKER, "cpu-avx2", dir_ / "lane/in", dir_ / "lane/out"});
    EXPECT_THAT(child, IsOk());
    return *std::move(child);
  }
  // The errno of an attempt, as text; "0" where it succeeded.
  std::string Try(ChildProcess& child, const std::string& attempt, const std::string& path, int task = 0) {
    v1::ExecuteRequest request;
    request.mutable_task()->mutable_report()->set_model_display_name(attempt + " " + path);
    request.set_input_dir(dir_ / ("lane/in/" + std::to_string(task)));
    request.set_output_dir(dir_ / ("lane/out/" + std::to_string(task)));
    request.set_threads(2);
    const auto event = child.Execute(request, [](double) {});
    EXPECT_THAT(event, IsOk());
    if (!event.ok() || !event->has_result()) return "no result";
    return *ReadFile(request.output_dir() + "/info.bin");
  }
  // What Landlock leaves open, of these or of other kernels, and seccomp forbids.
  void ExpectForbidden(ChildProcess& child, const std::string& path) {
    if (Try(child, "socket", "") == "0") return;  // no seccomp on this machine
    for (const char* attempt : {"empty", "truncate", "chmod"}) {
      EXPECT_EQ(Try(child, attempt, path), std::to_string(EPERM)) << attempt << " " << path;
    }
  }

  const std::string denied_ = std::to_string(EACCES);
};

TEST_F(ConfinedChild, CannotTouchTheServersFiles) {
  const auto child = StartConfined();
  for (const char* file : {"db.sqlite", "blobs/mine", "blobs/other", "worker-token", "tls/identity.pem"}) {
    for (const char* attempt : {"read", "write", "remove", "rename"}) {
      EXPECT_EQ(Try(*child, attempt, dir_ / file), denied_) << attempt << " " << file;
    }
    ExpectForbidden(*child, dir_ / file);
    EXPECT_EQ(*ReadFile(dir_ / file), file);
  }
  EXPECT_EQ(Try(*child, "make", dir_ / "db.sqlite-wal"), denied_);
  EXPECT_EQ(Try(*child, "make", dir_ / "blobs/new"), denied_);
  EXPECT_EQ(Try(*child, "list", dir_ / "blobs"), denied_);
  EXPECT_EQ(Try(*child, "read", "/etc/passwd"), denied_);
  // Where the agent, this process, has its token.
  const std::string agent = "/proc/" + std::to_string(::getpid());
  for (const char* file : {"/environ", "/cmdline", "/mem", "/maps"}) {
    EXPECT_EQ(Try(*child, "read", agent + file), denied_) << file;
  }
  EXPECT_EQ(Try(*child, "make", "/tmp/bitwright-child-was-here"), denied_);
}

TEST_F(ConfinedChild, ReadsItsInputsAndFillsItsOutputs) {
  ASSERT_EQ(::link((dir_ / "blobs/mine").c_str(), (dir_ / "lane/in/0/mine").c_str()), 0);
  ASSERT_EQ(::link((dir_ / "blobs/other").c_str(), (dir_ / "lane/in/1/other").c_str()), 0);
  const auto child = StartConfined();
  EXPECT_EQ(Try(*child, "read", dir_ / "lane/in/0/mine"), "0");
  EXPECT_EQ(Try(*child, "read", dir_ / "lane/in/1/other", 1), "0") << "of a later task";
  for (const char* attempt : {"write", "remove", "rename"}) {
    EXPECT_EQ(Try(*child, attempt, dir_ / "lane/in/0/mine"), denied_) << attempt;
  }
  ExpectForbidden(*child, dir_ / "lane/in/0/mine");
  EXPECT_EQ(*ReadFile(dir_ / "blobs/mine"), "blobs/mine");
  EXPECT_EQ(Try(*child, "make", dir_ / "lane/out/0/made"), "0");
  EXPECT_EQ(Try(*child, "remove", dir_ / "lane/out/0/made"), "0");
  EXPECT_EQ(Try(*child, "symlink", dir_ / "lane/out/0/link"), denied_);
}

TEST_F(ConfinedChild, ReadsWhatItsInputsLinkToAndNothingBeside) {
  ASSERT_EQ(::symlink((dir_ / "blobs/mine").c_str(), (dir_ / "lane/in/0/mine").c_str()), 0);
  const auto child = StartConfined();
  EXPECT_EQ(Try(*child, "read", dir_ / "lane/in/0/mine"), "0");
  EXPECT_EQ(Try(*child, "write", dir_ / "lane/in/0/mine"), denied_);
  EXPECT_EQ(Try(*child, "read", dir_ / "blobs/other"), denied_);
}

TEST_F(Child, SlotReplacesAChildThatMayReadTooLittle) {
  ChildSlot slot(kFake);
  const MonotonicTime now;
  const auto run = [&](const std::vector<std::string>& linked) {
    const auto child = slot.Acquire("jobs/1", linked);
    slot.Release(true, now);
    return (*child)->pid();
  };
  const pid_t first = run({"/blobs/a", "/blobs/b"});
  EXPECT_EQ(run({}), first);
  EXPECT_EQ(run({"/blobs/b"}), first);
  EXPECT_NE(run({"/blobs/b", "/blobs/c"}), first);
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

  slot.EndIfOver({"jobs/1"});
  EXPECT_EQ(std::to_string(slot.pid()), second);
  slot.EndIfOver({"jobs/2"});
  EXPECT_EQ(slot.pid(), 0);

  run("jobs/2");
  slot.EndIfIdle(now + absl::Seconds(59), absl::Seconds(60));
  EXPECT_NE(slot.pid(), 0);
  EXPECT_EQ(slot.UntilIdle(now + absl::Seconds(59), absl::Seconds(60)), absl::Seconds(1));
  slot.EndIfIdle(now + absl::Seconds(60), absl::Seconds(60));
  EXPECT_EQ(slot.pid(), 0);

  ASSERT_THAT(slot.Acquire("jobs/2"), IsOk());
  slot.EndIfOver({"jobs/2"});
  EXPECT_NE(slot.pid(), 0) << "a busy child is left alone";
  slot.Release(false, now);
  EXPECT_EQ(slot.pid(), 0);
}

}  // namespace
}  // namespace bitwright::worker
