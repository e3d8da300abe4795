#include "workers/agent/agent.h"

#include <signal.h>

#include <cstdlib>
#include <filesystem>
#include <thread>

#include "google/rpc/status.pb.h"
#include "proto/contract/limits.h"
#include "proto/contract/rpc_status.h"
#include "tests/support/fixtures.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/workers/agent/fake_server.h"
#include "workers/base/files.h"

namespace bitwright::worker {
namespace {

using Seen = FakeServer::Seen;

class AgentTest : public ::testing::Test {
 protected:
  AgentTest() { ::signal(SIGPIPE, SIG_IGN); }
  ~AgentTest() override { StopAgent(); }

  void StartAgent() {
    AgentOptions options;
    options.server = server_.address();
    options.work_dir = dir_ / "work";
    options.blob_dir = blob_dir_;
    options.threads = 2;
    options.memory_bytes = 1 << 30;
    options.memory_limit_bytes = memory_limit_bytes_;
    if (!library_.empty()) options.watch_libraries = {library_};
    options.device = device_;
    options.compute_class = device_.option.empty() ? "cpu-avx2" : "cuda-fake";
    options.code_version = "code1";
    options.child_program = FAKE_WORKER;
    agent_ = std::make_unique<Agent>(options);
    thread_ = std::thread([this] { status_ = agent_->Run(); });
  }
  void StopAgent() {
    if (!thread_.joinable()) return;
    agent_->Stop();
    thread_.join();
  }
  bool WaitCompleted(size_t count) {
    return server_.WaitUntil([=](const Seen& seen) { return seen.completed.size() >= count; });
  }
  bool WaitFailed(size_t count) {
    return server_.WaitUntil([=](const Seen& seen) { return seen.failed.size() >= count; });
  }
  std::string Output(size_t index) {
    return server_.Get(server_.seen().completed.at(index).result().outputs(0).digest().sha256());
  }

  TempDir dir_;
  FakeServer server_;
  const v1::Digest input_ = server_.Put("input bytes");
  std::string blob_dir_;
  WorkerDevice device_;
  std::string library_;
  int64_t memory_limit_bytes_ = 0;
  std::unique_ptr<Agent> agent_;
  std::thread thread_;
  absl::Status status_;
};

TEST_F(AgentTest, RunsATaskAndHandsItIn) {
  server_.AddLease("tasks/1", "copy", input_);
  StartAgent();
  ASSERT_TRUE(WaitCompleted(1));
  const auto completed = server_.seen().completed[0];
  EXPECT_EQ(completed.worker(), "workers/w0");
  EXPECT_EQ(completed.task(), "tasks/1");
  EXPECT_EQ(completed.fencing_token(), 7);
  EXPECT_EQ(completed.result().outputs(0).name(), "info");
  EXPECT_EQ(Output(0), "input bytes");
  EXPECT_EQ(server_.seen().capacity.compute_class(), "cpu-avx2");
  StopAgent();
  EXPECT_THAT(status_, IsOk());
  EXPECT_TRUE(server_.seen().deregistered);
  for (const char* lane : {"all", "small"}) {
    for (const char* folder : {"/in", "/out"}) {
      EXPECT_TRUE(std::filesystem::is_empty(dir_ / ("work/tasks/" + std::string(lane) + folder)));
    }
  }
}

TEST_F(AgentTest, AResultIsKeptUntilTheServerHasRoomForIt) {
  server_.SetFaults([](auto& faults) { faults.refuse_results = 3; });
  server_.AddLease("tasks/1", "copy", input_);
  StartAgent();
  ASSERT_TRUE(WaitCompleted(1));
  EXPECT_EQ(Output(0), "input bytes");
  EXPECT_TRUE(server_.seen().failed.empty());
}

// A proxy of the environment is for the web; nothing listens at this one.
TEST_F(AgentTest, NoProxyStandsBetweenItAndTheServer) {
  ::setenv("http_proxy", "http://127.0.0.1:9", 1);
  server_.AddLease("tasks/1", "copy", input_);
  StartAgent();
  EXPECT_TRUE(WaitCompleted(1));
  StopAgent();
  ::unsetenv("http_proxy");
}

TEST_F(AgentTest, ReadsInputsFromTheServersFolder) {
  blob_dir_ = dir_ / "blobs";
  const std::string folder = blob_dir_ + "/" + input_.sha256().substr(0, 2);
  std::filesystem::create_directories(folder);
  ASSERT_THAT(WriteFile(folder + "/" + input_.sha256(), "input bytes"), IsOk());
  server_.AddLease("tasks/1", "copy", input_);
  StartAgent();
  ASSERT_TRUE(WaitCompleted(1));
  EXPECT_EQ(Output(0), "input bytes");
  EXPECT_TRUE(server_.seen().read_offsets.empty());
}

TEST_F(AgentTest, TasksOfOneOwnerShareAChild) {
  server_.AddLease("tasks/1", "pid", input_, "jobs/1");
  server_.AddLease("tasks/2", "pid", input_, "jobs/1");
  server_.AddLease("tasks/3", "pid", input_, "jobs/2");
  server_.SetFaults([](auto& faults) { faults.live = {"jobs/1", "jobs/2"}; });
  StartAgent();
  ASSERT_TRUE(WaitCompleted(3));
  EXPECT_EQ(Output(0), Output(1));
  EXPECT_NE(Output(0), Output(2));
}

TEST_F(AgentTest, CrashIsTheMachinerysFault) {
  server_.AddLease("tasks/1", "crash", input_);
  server_.AddLease("tasks/2", "copy", input_);
  StartAgent();
  ASSERT_TRUE(WaitCompleted(1)) << "the worker goes on";
  const auto failed = server_.seen().failed.at(0);
  EXPECT_TRUE(failed.machinery());
  EXPECT_THAT(FromProto(failed.error()), HasReason("CHILD_DIED"));
  EXPECT_EQ(server_.seen().completed[0].task(), "tasks/2");
}

TEST_F(AgentTest, LackOfMemoryIsTheMachinerysFault) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "a sanitizer ends the process where memory ends";
#endif
  memory_limit_bytes_ = int64_t{512} << 20;
  server_.AddLease("tasks/1", "memory", input_);
  server_.AddLease("tasks/2", "killed", input_);
  StartAgent();
  ASSERT_TRUE(WaitFailed(2));
  const auto failed = server_.seen().failed;
  EXPECT_TRUE(failed[0].machinery());
  EXPECT_THAT(FromProto(failed[0].error()), HasReason("OUT_OF_MEMORY"));
  EXPECT_EQ(GetErrorDetail(FromProto(failed[0].error()))->metadata.at("available_bytes"),
            std::to_string(int64_t{384} << 20));
  EXPECT_TRUE(failed[1].machinery());
  EXPECT_THAT(FromProto(failed[1].error()), HasReason("CHILD_DIED"));
}

// The next task has a process, and with it a context, of its own.
TEST_F(AgentTest, AFailedDeviceIsTheMachinerysFaultAndEndsTheChild) {
  ::setenv("CUDA_VISIBLE_DEVICES", "0", 1);
  device_ = {.kind = "cuda", .option = "cuda:0", .name = "Fake Card", .memory_bytes = int64_t{24} << 30};
  server_.AddLease("tasks/1", "pid", input_);
  server_.AddLease("tasks/2", "device", input_);
  server_.AddLease("tasks/3", "pid", input_);
  StartAgent();
  ASSERT_TRUE(WaitCompleted(2));
  ::unsetenv("CUDA_VISIBLE_DEVICES");
  const Seen seen = server_.seen();
  ASSERT_EQ(seen.failed.size(), 1u);
  EXPECT_TRUE(seen.failed[0].machinery());
  EXPECT_THAT(FromProto(seen.failed[0].error()), HasReason("DEVICE_FAILED"));
  EXPECT_NE(Output(0), Output(1));
  EXPECT_EQ(seen.capacity.device(), "cuda");
  EXPECT_EQ(seen.capacity.device_name(), "Fake Card");
  EXPECT_EQ(seen.capacity.device_memory_bytes(), int64_t{24} << 30);
}

TEST_F(AgentTest, AResultThatFitsNoMessageIsRefusedByName) {
  server_.AddLease("tasks/1", "long", input_);
  StartAgent();
  ASSERT_TRUE(WaitFailed(1));
  const auto failed = server_.seen().failed[0];
  EXPECT_FALSE(failed.machinery());
  const absl::Status error = FromProto(failed.error());
  EXPECT_THAT(error, HasReason("RESULT_TOO_LARGE"));
  EXPECT_EQ(GetErrorDetail(error)->metadata.at("limit"), std::to_string(limits::kMaxMessageBytes));
  EXPECT_TRUE(server_.seen().completed.empty());
}

TEST_F(AgentTest, EndsWhenALibraryIsReplaced) {
  ASSERT_THAT(WriteFile(dir_ / "libm.so", "old"), IsOk());
  library_ = dir_ / "libm.so";
  StartAgent();
  ASSERT_TRUE(server_.WaitUntil([](const Seen& seen) { return !seen.heartbeats.empty(); }));
  ASSERT_THAT(WriteFile(dir_ / "new", "new code"), IsOk());
  std::filesystem::rename(dir_ / "new", library_);
  thread_.join();
  EXPECT_THAT(status_, HasReason("LIBRARY_REPLACED"));
  EXPECT_TRUE(server_.seen().deregistered);
}

TEST_F(AgentTest, ErrorOfTheTaskIsItsOwnFault) {
  server_.AddLease("tasks/1", "bad", input_);
  StartAgent();
  ASSERT_TRUE(WaitFailed(1));
  const auto failed = server_.seen().failed[0];
  EXPECT_FALSE(failed.machinery());
  EXPECT_THAT(FromProto(failed.error()), HasReason("TENSOR_TRUNCATED"));
  EXPECT_EQ(agent_->child_pid(), 0) << "its child is ended";
}

TEST_F(AgentTest, LostFilesAreTheMachinerysFault) {
  server_.AddLease("tasks/1", "lost file", input_);
  server_.AddLease("tasks/2", "copy", ToProto(DigestOf("never uploaded")));
  StartAgent();
  ASSERT_TRUE(WaitFailed(2));
  EXPECT_TRUE(server_.seen().failed[0].machinery());
  EXPECT_TRUE(server_.seen().failed[1].machinery());
}

TEST_F(AgentTest, LostLeaseKillsTheChildAndHandsNothingIn) {
  server_.AddLease("tasks/1", "hang", input_);
  StartAgent();
  ASSERT_TRUE(server_.WaitUntil([](const Seen& seen) {
    return !seen.heartbeats.empty() && seen.heartbeats.back().running_size() == 1 &&
           seen.heartbeats.back().running(0).progress() == 0.5 &&
           seen.heartbeats.back().running(0).fencing_token() == 7;
  }));
  server_.SetFaults([](auto& faults) { faults.lost = {"tasks/1"}; });
  server_.AddLease("tasks/2", "copy", input_);
  ASSERT_TRUE(WaitCompleted(1));
  EXPECT_EQ(server_.seen().completed[0].task(), "tasks/2");
  EXPECT_TRUE(server_.seen().failed.empty());
}

TEST_F(AgentTest, ASmallTaskRunsBesideALongOne) {
  server_.AddLease("tasks/long", "hang", input_, "jobs/1");
  StartAgent();
  ASSERT_TRUE(server_.WaitUntil(
      [](const Seen& seen) { return !seen.heartbeats.empty() && seen.heartbeats.back().running_size() == 1; }));
  server_.AddSmallLease("tasks/small", "pid", input_, "models/1");
  server_.AddSmallLease("tasks/other", "pid", input_, "models/2");
  ASSERT_TRUE(WaitCompleted(2));
  EXPECT_EQ(server_.seen().completed[0].task(), "tasks/small");
  EXPECT_EQ(server_.seen().completed[0].fencing_token(), 107);
  EXPECT_NE(Output(0), std::to_string(agent_->child_pid())) << "a child of its own";
  EXPECT_NE(Output(0), Output(1)) << "one for each owner";
  EXPECT_EQ(server_.seen().heartbeats.back().running(0).task(), "tasks/long") << "which still runs";
}

TEST_F(AgentTest, HeartbeatsSpeakForBothLanes) {
  server_.AddLease("tasks/long", "hang", input_);
  server_.AddSmallLease("tasks/small", "hang", input_);
  StartAgent();
  const auto running = [](const Seen& seen, int count) {
    return !seen.heartbeats.empty() && seen.heartbeats.back().running_size() == count;
  };
  ASSERT_TRUE(server_.WaitUntil([&](const Seen& seen) { return running(seen, 2); }));
  server_.SetFaults([](auto& faults) { faults.lost = {"tasks/small"}; });
  ASSERT_TRUE(server_.WaitUntil([&](const Seen& seen) { return running(seen, 1); }));
  EXPECT_EQ(server_.seen().heartbeats.back().running(0).task(), "tasks/long");
  StopAgent();
  EXPECT_TRUE(server_.seen().completed.empty());
  EXPECT_TRUE(server_.seen().failed.empty());
}

TEST_F(AgentTest, NeitherLaneAsksADrainingServer) {
  StartAgent();
  ASSERT_TRUE(server_.WaitUntil([](const Seen& seen) { return seen.small_lease_calls > 0 && seen.lease_calls > 1; }));
  server_.SetFaults([](auto& faults) { faults.drain = true; });
  const auto wait_for_heartbeats = [this](size_t more) {
    const size_t before = server_.seen().heartbeats.size();
    return server_.WaitUntil([=](const Seen& seen) { return seen.heartbeats.size() > before + more; });
  };
  ASSERT_TRUE(wait_for_heartbeats(3));  // the answer to the first one has been obeyed
  const int asked = server_.seen().lease_calls;
  ASSERT_TRUE(wait_for_heartbeats(10));
  EXPECT_EQ(server_.seen().lease_calls, asked);
}

TEST_F(AgentTest, ADrainedWorkerLeaves) {
  StartAgent();
  ASSERT_TRUE(server_.WaitUntil([](const Seen& seen) { return seen.small_lease_calls > 0; }));
  server_.SetFaults([](auto& faults) { faults.dismiss = true; });
  thread_.join();
  EXPECT_THAT(status_, IsOk());
  EXPECT_TRUE(server_.seen().deregistered);
}

TEST_F(AgentTest, ADrainedWorkerFinishesWhatItRuns) {
  server_.AddLease("tasks/1", "copy", input_);
  StartAgent();
  ASSERT_TRUE(server_.WaitUntil([](const Seen& seen) { return seen.lease_calls > seen.small_lease_calls; }));
  server_.SetFaults([](auto& faults) { faults.dismiss = true; });
  thread_.join();
  EXPECT_THAT(status_, IsOk());
  EXPECT_TRUE(server_.seen().deregistered);
  EXPECT_EQ(server_.seen().completed.size(), 1u);
  EXPECT_TRUE(server_.seen().failed.empty());
}

TEST_F(AgentTest, ChildEndsWithItsOwner) {
  server_.AddLease("tasks/1", "copy", input_);
  StartAgent();
  ASSERT_TRUE(WaitCompleted(1));
  const size_t heartbeats = server_.seen().heartbeats.size();
  server_.SetFaults([](auto& faults) { faults.live.clear(); });
  // The second heartbeat from here is sent after the answer to the first was obeyed.
  ASSERT_TRUE(server_.WaitUntil([=](const Seen& seen) { return seen.heartbeats.size() > heartbeats + 2; }));
  EXPECT_EQ(agent_->child_pid(), 0);
}

TEST_F(AgentTest, WaitsForTheServerAndRegistersAgainWhenForgotten) {
  server_.SetFaults([](auto& faults) { faults.refuse_registrations = 2; });
  StartAgent();
  ASSERT_TRUE(server_.WaitUntil([](const Seen& seen) { return seen.lease_calls >= 1; }));
  server_.SetFaults([](auto& faults) { faults.forget_worker = true; });
  server_.AddLease("tasks/1", "copy", input_);
  ASSERT_TRUE(WaitCompleted(1));
  server_.AddLease("tasks/2", "copy", input_);
  ASSERT_TRUE(WaitCompleted(2));
  EXPECT_EQ(server_.seen().workers.size(), 2);
  EXPECT_EQ(server_.seen().completed[1].worker(), "workers/w1");
}

TEST_F(AgentTest, StopAbandonsARunningTask) {
  server_.AddLease("tasks/1", "hang", input_);
  StartAgent();
  ASSERT_TRUE(server_.WaitUntil(
      [](const Seen& seen) { return !seen.heartbeats.empty() && seen.heartbeats.back().running_size() == 1; }));
  StopAgent();
  EXPECT_THAT(status_, IsOk());
  EXPECT_TRUE(server_.seen().deregistered);
  EXPECT_TRUE(server_.seen().failed.empty());
}

TEST_F(AgentTest, TwoWorkersCannotShareAFolder) {
  StartAgent();
  ASSERT_TRUE(server_.WaitUntil([](const Seen& seen) { return seen.lease_calls >= 1; }));
  AgentOptions options;
  options.server = server_.address();
  options.work_dir = dir_ / "work";
  EXPECT_THAT(Agent(options).Run(), HasReason("WORK_DIR_IN_USE"));
}

}  // namespace
}  // namespace bitwright::worker
