#include "server/scheduler/executor.h"

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/status_matchers.h"
#include "tests/unit/server/support/rig.h"

namespace bitwright::server {
namespace {

// Another engine: whatever is submitted has a place at once, and its leases are taken by the test.
class OtherEngine final : public Executor {
 public:
  void Submit(Execution execution) override {
    const std::string task = execution.task;
    waiting.insert_or_assign(task, std::move(execution));
  }
  void Withdraw(const std::string& task) override {
    waiting.erase(task);
    running.erase(task);
  }
  std::vector<Placement> FindPlaces() override {
    std::vector<Placement> found;
    for (const auto& [task, execution] : waiting) {
      if (placed.contains(task)) continue;
      found.push_back({task, {.worker = "workers/elsewhere", .compute_class = "cpu-x", .code_version = "code9"}});
    }
    for (const Placement& one : found) placed.insert(waiting.extract(one.task));
    return found;
  }
  void Begin(const std::string& task, v1::Lease lease, MonotonicTime, Outbox&) override {
    placed.erase(task);
    running[task] = std::move(lease);
  }
  void Refuse(const std::string& task) override { placed.erase(task); }
  void Resume(Execution execution, const Place&, int64_t, MonotonicTime) override {
    lost.push_back({execution.task, 0, absl::OkStatus()});
  }
  std::vector<LostLease> Lost(MonotonicTime) override { return std::exchange(lost, {}); }
  std::vector<Offer> Offers(MonotonicTime) const override {
    return {{.compute_class = "cpu-x",
             .code_version = "code9",
             .places = 100,
             .free_places = 100,
             .cores = 100,
             .memory_bytes = int64_t{1} << 40}};
  }
  int64_t changes() const override { return 1; }

  std::map<std::string, Execution> waiting, placed;
  std::map<std::string, v1::Lease> running;
  std::vector<LostLease> lost;
};

class ExecutorTest : public ::testing::Test {
 protected:
  ExecutorTest() {
    model_ = rig_.ReadyModel().name();
    rig_.make_executor = [this] {
      auto engine = std::make_unique<OtherEngine>();
      engine_ = engine.get();
      return engine;
    };
    rig_.Restart();
  }

  Rig rig_;
  std::string model_;
  OtherEngine* engine_ = nullptr;
};

TEST_F(ExecutorTest, AJobRunsOnAnotherEngineWithoutAWorker) {
  const v1::Job job = rig_.CreateJob(rig_.Spec(model_));
  int ran = 0;
  while (!engine_->running.empty()) {
    const v1::Lease lease = engine_->running.begin()->second;
    BITWRIGHT_ASSERT_OK(rig_.Complete("", lease));
    ++ran;
    ASSERT_LT(ran, 1000);
  }
  ASSERT_OK_AND_ASSIGN(const v1::Job done, rig_.jobs->Get(kCaller, job.name()));
  EXPECT_EQ(done.state(), v1::Job::SUCCEEDED);
  EXPECT_EQ(done.compute_class(), "cpu-x");
  EXPECT_GT(ran, 10);
}

TEST_F(ExecutorTest, WhatIsCancelledIsWithdrawn) {
  const v1::Job job = rig_.CreateJob(rig_.Spec(model_));
  EXPECT_FALSE(engine_->running.empty());
  EXPECT_THAT(rig_.jobs->Cancel(kCaller, job.name()), IsOk());
  EXPECT_TRUE(engine_->running.empty());
  EXPECT_TRUE(engine_->waiting.empty());
}

TEST_F(ExecutorTest, WorkersAreSentAway) {
  EXPECT_THAT(rig_.scheduler->RegisterWorker({}), HasReason("WORKERS_ELSEWHERE"));
  v1::HeartbeatRequest request;
  EXPECT_THAT(rig_.scheduler->Heartbeat(request), HasReason("WORKERS_ELSEWHERE"));
  absl::Status status;
  rig_.scheduler->LeaseTask("workers/a", absl::Seconds(1), [&](const auto& lease) { status = lease.status(); });
  EXPECT_THAT(status, HasReason("WORKERS_ELSEWHERE"));
}

}  // namespace
}  // namespace bitwright::server
