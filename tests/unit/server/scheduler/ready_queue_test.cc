#include "server/scheduler/ready_queue.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <tuple>
#include <vector>

namespace bitwright::server {
namespace {

const AskingWorker kWorker{.compute_class = "cpu-avx512", .code_version = "code1", .memory_bytes = 1000};

Execution Task(const std::string& name) {
  return {.task = name, .owner = "jobs/1", .tenant = std::string("a"), .needs = {.memory = {100, 0}}};
}

// What a queue of these gives.
std::string Pick(const std::vector<Execution>& tasks, const AskingWorker& worker = kWorker,
                 const TenantTurns& turns = {}) {
  ReadyQueue queue;
  for (const Execution& task : tasks) queue.Add(task);
  const Execution* pick = queue.Pick(worker, turns);
  return pick == nullptr ? "none" : pick->task;
}

TEST(ReadyQueue, OfNothingGivesNothing) { EXPECT_EQ(Pick({}), "none"); }

TEST(ReadyQueue, HigherPriorityGoesFirst) {
  std::vector<Execution> tasks = {Task("1"), Task("2")};
  tasks[0].owner_create_time = absl::FromUnixMicros(-5);
  tasks[0].priority = -1;
  tasks[1].priority = 2;
  EXPECT_EQ(Pick(tasks, kWorker, {{"a", 9}}), "2");
}

TEST(ReadyQueue, TheTenantWhoseTurnComesSoonerGoesFirst) {
  std::vector<Execution> tasks = {Task("1"), Task("2"), Task("3")};
  tasks[0].owner_create_time = absl::FromUnixMicros(-5);
  tasks[1].tenant = std::string("b");
  EXPECT_EQ(Pick(tasks, kWorker, {{"a", 3}, {"b", 1}}), "2");
  tasks[2].tenant = std::string("c");  // its turn is 0
  EXPECT_EQ(Pick(tasks, kWorker, {{"a", 3}, {"b", 1}}), "3");
}

TEST(ReadyQueue, OlderOwnerGoesFirstThenLargerCostThenTheName) {
  std::vector<Execution> tasks = {Task("3"), Task("1"), Task("2")};
  EXPECT_EQ(Pick(tasks), "1");
  tasks[2].cost_flops = 1;
  EXPECT_EQ(Pick(tasks), "2");
  tasks[0].owner_create_time = absl::FromUnixMicros(-1);
  EXPECT_EQ(Pick(tasks), "3");
}

TEST(ReadyQueue, MemoryMustFit) {
  std::vector<Execution> tasks = {Task("1"), Task("2")};
  tasks[0].needs.memory = {1001, 0};
  EXPECT_EQ(Pick(tasks), "2");
  tasks[1].needs.memory = {1001, 0};
  EXPECT_EQ(Pick(tasks), "none");
}

TEST(ReadyQueue, SmallTasksAloneAreGivenToWhoAsksForThem) {
  std::vector<Execution> tasks = {Task("1"), Task("2")};
  tasks[0].cost_flops = 9;
  AskingWorker lane = kWorker;
  lane.small_only = true;
  EXPECT_EQ(Pick(tasks, lane), "none");
  tasks[1].needs.small = true;
  EXPECT_EQ(Pick(tasks, lane), "2");
  EXPECT_EQ(Pick(tasks), "1");
  EXPECT_EQ(Pick({tasks[1]}), "2") << "whoever asks gets them";
}

TEST(ReadyQueue, ALaneOfItsOwnHasMemoryForSmallTasks) {
  Execution task = Task("1");
  task.needs.memory = {1001, 0};
  AskingWorker lane = kWorker;
  lane.small_lane = true;
  EXPECT_EQ(Pick({task}, lane), "none");
  task.needs.small = true;
  EXPECT_EQ(Pick({task}, lane), "1");
}

TEST(ReadyQueue, ClassAndCodeBindWhereTheyAreSet) {
  Execution task = Task("1");
  task.needs.compute_class = "cpu-avx2";
  EXPECT_EQ(Pick({task}), "none");
  task.needs.compute_class = "cpu-avx512";
  EXPECT_EQ(Pick({task}), "1");
  task.needs.code_version = "code0";
  EXPECT_EQ(Pick({task}), "none");
  task.needs.code_version = "code1";
  EXPECT_EQ(Pick({task}), "1");
}

TEST(ReadyQueue, WhatFailedOnAWorkerIsLeftToAnotherOneThatMayRunIt) {
  Execution task = Task("1");
  task.failed_on = "workers/a";
  AskingWorker worker = kWorker;
  worker.name = "workers/a";
  EXPECT_EQ(Pick({task}, worker), "1") << "there is no other";
  worker.peer = Room{.memory_bytes = 1000};
  EXPECT_EQ(Pick({task}, worker), "none");
  EXPECT_EQ(Pick({task, Task("2")}, worker), "2");
  worker.name = "workers/b";
  EXPECT_EQ(Pick({task}, worker), "1");
  worker.name = "workers/a";
  worker.peer = Room{.memory_bytes = 99};
  EXPECT_EQ(Pick({task}, worker), "1") << "the other one has too little memory";
  ReadyQueue queue;
  queue.Add(task);
  EXPECT_TRUE(queue.HasFailedOn("workers/a"));
  EXPECT_FALSE(queue.HasFailedOn("workers/b"));
  queue.Remove("1");
  EXPECT_FALSE(queue.HasFailedOn("workers/a"));
}

TEST(ReadyQueue, WhatWasRemovedIsGone) {
  ReadyQueue queue;
  queue.Add(Task("1"));
  queue.Add(Task("2"));
  EXPECT_TRUE(queue.Remove("1").has_value());
  EXPECT_FALSE(queue.Remove("1").has_value());
  EXPECT_EQ(queue.Pick(kWorker, {})->task, "2");
  queue.Remove("2");
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.Pick(kWorker, {}), nullptr);
}

// The order of the policy, by looking at every task: smaller is sooner.
std::string PickByLookingAtAll(const std::vector<Execution>& tasks, const AskingWorker& worker,
                               const TenantTurns& turns) {
  const auto rank = [&](const Execution& task) {
    const auto turn = turns.find(task.tenant);
    return std::make_tuple(-task.priority, turn == turns.end() ? 0.0 : turn->second, task.owner_create_time,
                           -task.cost_flops, task.task);
  };
  const auto may_run = [&](const Execution& task) {
    const Requirements& needs = task.needs;
    if (needs.memory.bytes + worker.threads * needs.memory.thread_bytes > worker.memory_bytes &&
        !(needs.small && worker.small_lane))
      return false;
    if (worker.small_only && !needs.small) return false;
    if (!needs.code_version.empty() && needs.code_version != worker.code_version) return false;
    return needs.compute_class.empty() || needs.compute_class == worker.compute_class;
  };
  const Execution* best = nullptr;
  for (const Execution& task : tasks) {
    if (may_run(task) && (best == nullptr || rank(task) < rank(*best))) best = &task;
  }
  return best == nullptr ? "none" : best->task;
}

TEST(ReadyQueue, GivesWhatLookingAtAllOfThemGives) {
  std::mt19937 random(7);
  const auto draw = [&](int below) { return static_cast<int>(random() % below); };
  for (int round = 0; round < 300; ++round) {
    std::vector<Execution> tasks;
    const int count = draw(40);
    for (int i = 0; i < count; ++i) {
      Execution task = Task(std::to_string(i));
      task.tenant = std::string(1, static_cast<char>('a' + draw(3)));
      task.priority = draw(3);
      task.owner_create_time = absl::FromUnixMicros(draw(4));
      task.cost_flops = draw(3);
      task.needs = {.compute_class = draw(2) == 0   ? ""
                                     : draw(2) == 0 ? "cpu-avx512"
                                                    : "cpu-avx2",
                    .code_version = draw(2) == 0 ? "" : "code" + std::to_string(draw(2)),
                    .memory = {500 * draw(4), 100 * draw(3)},
                    .small = draw(3) == 0};
      tasks.push_back(task);
    }
    const AskingWorker worker{.compute_class = "cpu-avx512",
                              .code_version = "code1",
                              .memory_bytes = 500 * draw(4),
                              .threads = 1 + draw(4),
                              .small_only = draw(4) == 0,
                              .small_lane = draw(2) == 0};
    const TenantTurns turns = {{"a", draw(3)}, {"b", draw(3)}};
    EXPECT_EQ(Pick(tasks, worker, turns), PickByLookingAtAll(tasks, worker, turns)) << "round " << round;
  }
}

}  // namespace
}  // namespace bitwright::server
