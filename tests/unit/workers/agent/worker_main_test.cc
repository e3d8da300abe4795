#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "proto/contract/code_version.h"
#include "tests/support/fixtures.h"
#include "tests/unit/workers/agent/fake_server.h"

namespace bitwright::worker {
namespace {

// The whole program as a process of its own.
pid_t Spawn(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), FAKE_WORKER);
  std::vector<char*> pointers;
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  pid_t pid = 0;
  EXPECT_EQ(::posix_spawn(&pid, FAKE_WORKER, nullptr, nullptr, pointers.data(), environ), 0);
  return pid;
}

int ExitCode(pid_t pid) {
  int status = 0;
  EXPECT_EQ(::waitpid(pid, &status, 0), pid);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

TEST(WorkerMain, WorksUntilItIsAskedToStop) {
  const TempDir dir;
  FakeServer server;
  server.AddLease("tasks/1", "copy", server.Put("input bytes"));
  const pid_t pid = Spawn({"--server", server.address(), "--work-dir", dir / "work", "--threads", "1",
                           "--exit-with-parent", "--compute-class", "cpu-x86-64-v2"});
  EXPECT_TRUE(server.WaitUntil([](const auto& seen) { return seen.completed.size() == 1; }));
  EXPECT_EQ(server.seen().capacity.compute_class(), "cpu-x86-64-v2");
  EXPECT_EQ(server.seen().capacity.process_id(), pid);
  ::kill(pid, SIGTERM);
  EXPECT_EQ(ExitCode(pid), 0);
  EXPECT_TRUE(server.seen().deregistered);
}

TEST(WorkerMain, ACardIsTakenWhereThereIsOneAndAnnounced) {
  const TempDir dir;
  ASSERT_EQ(::setenv("CUDA_VISIBLE_DEVICES", "0", 1), 0);
  FakeServer server, other, third;
  const auto spawn = [&](const FakeServer& to, const char* work, const char* device) {
    return Spawn({"--server", to.address(), "--work-dir", dir / work, "--threads", "1", "--device", device});
  };
  const auto registered = [](const auto& seen) { return !seen.workers.empty(); };
  const pid_t first = spawn(server, "1", "auto");
  ASSERT_TRUE(server.WaitUntil(registered));
  const v1::WorkerCapacity capacity = server.seen().capacity;
  EXPECT_EQ(capacity.device(), "cuda");
  EXPECT_EQ(capacity.device_name(), "Fake Card");
  EXPECT_EQ(capacity.device_memory_bytes(), int64_t{24} << 30);
  EXPECT_EQ(capacity.compute_class(), "cuda-fake");
  EXPECT_EQ(ExitCode(spawn(other, "2", "cuda")), 1) << "the first one has it";
  const pid_t second = spawn(other, "2", "auto");
  ASSERT_TRUE(other.WaitUntil(registered));
  EXPECT_EQ(other.seen().capacity.device(), "cpu");
  EXPECT_EQ(other.seen().capacity.compute_class(), "cpu-wide");
  EXPECT_EQ(ProgramOf(capacity.code_version()), other.seen().capacity.code_version())
      << "other tasks than numeric ones are the same on both";
  EXPECT_NE(capacity.code_version(), other.seen().capacity.code_version());
  for (const pid_t pid : {first, second}) {
    ::kill(pid, SIGTERM);
    EXPECT_EQ(ExitCode(pid), 0);
  }
  const pid_t again = spawn(third, "1", "cuda:0");
  EXPECT_TRUE(third.WaitUntil(registered)) << "it is free again";
  ::kill(again, SIGTERM);
  EXPECT_EQ(ExitCode(again), 0);
  ::unsetenv("CUDA_VISIBLE_DEVICES");
}

TEST(WorkerMain, JoiningNeedsNothingButAnAddress) {
  const TempDir dir;
  ASSERT_EQ(::setenv("XDG_CACHE_HOME", (dir / "cache").c_str(), 1), 0);
  FakeServer server;
  server.AddLease("tasks/1", "copy", server.Put("input bytes"));
  const pid_t first = Spawn({"--join", server.address()});
  const pid_t second = Spawn({"--join", server.address()});
  EXPECT_TRUE(server.WaitUntil([](const auto& seen) { return seen.completed.size() == 1; }));
  // Each has a folder of its own, and both are there once both have registered.
  EXPECT_TRUE(server.WaitUntil([](const auto& seen) { return seen.lease_calls >= 4; }));
  EXPECT_TRUE(std::filesystem::exists(dir / "cache/bitwright/workers/0/lock"));
  EXPECT_TRUE(std::filesystem::exists(dir / "cache/bitwright/workers/1/lock"));
  for (const pid_t pid : {first, second}) {
    ::kill(pid, SIGTERM);
    EXPECT_EQ(ExitCode(pid), 0);
  }
  ::unsetenv("XDG_CACHE_HOME");
}

TEST(WorkerMain, AFolderThatOthersMayWriteIsNotJoinedFrom) {
  const TempDir dir;
  ASSERT_EQ(::setenv("XDG_CACHE_HOME", dir.path().c_str(), 1), 0);
  std::filesystem::create_directories(dir / "bitwright/workers");
  ASSERT_EQ(::chmod((dir / "bitwright/workers").c_str(), 0777), 0);
  EXPECT_EQ(ExitCode(Spawn({"--join", "localhost:1"})), 1);
  ::unsetenv("XDG_CACHE_HOME");
}

TEST(WorkerMain, AccessIsCheckedBeforeAnythingIsSent) {
  const TempDir dir;
  EXPECT_EQ(ExitCode(Spawn({"--server", "example.org:1", "--work-dir", dir / "w", "--token-file", dir / "none"})), 1);
  EXPECT_EQ(ExitCode(Spawn({"--server", "example.org:1", "--work-dir", dir / "w", "--tls-cert", dir / "none"})), 1);
}

TEST(WorkerMain, WrongOptionsAreRefused) {
  EXPECT_EQ(ExitCode(Spawn({"--join", "localhost:1", "--server", "localhost:1"})), 2);
  EXPECT_EQ(ExitCode(Spawn({"--join", "localhost:1", "--log-level", "loud"})), 2);
  EXPECT_EQ(ExitCode(Spawn({"--join", "localhost:1", "--log-format", "xml"})), 2);
  EXPECT_EQ(ExitCode(Spawn({"--join", "localhost:1", "--device", "gpu"})), 2);
  EXPECT_EQ(ExitCode(Spawn({"--work-dir", "/tmp/x"})), 2);
  EXPECT_EQ(ExitCode(Spawn({"--server", "localhost:1", "--work-dir", "/tmp/x", "--threads", "0"})), 2);
  EXPECT_EQ(ExitCode(Spawn({"--server", "localhost:1", "--work-dir", "/tmp/x", "--compute-class", "cuda"})), 1);
}

}  // namespace
}  // namespace bitwright::worker
