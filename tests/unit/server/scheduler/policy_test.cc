#include "server/scheduler/policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace bitwright::server {
namespace {

using ::testing::Optional;

ReadyTask Task(const std::string& name) { return {.task = name, .tenant = std::string("a"), .memory_bytes = 100}; }

const AskingWorker kWorker{"cpu-avx512", "code1", 1000};

TEST(Policy, NothingReadyGivesNothing) { EXPECT_EQ(PickTask({}, kWorker), std::nullopt); }

TEST(Policy, HigherPriorityGoesFirst) {
  PolicySnapshot snapshot{0, {Task("tasks/1"), Task("tasks/2")}, {{"a", 9}}};
  snapshot.ready[0].owner_create_micros = -5;
  snapshot.ready[0].priority = -1;
  snapshot.ready[1].priority = 2;
  EXPECT_THAT(PickTask(snapshot, kWorker), Optional(1));
}

TEST(Policy, TenantWithFewerRunningTasksGoesFirst) {
  PolicySnapshot snapshot{0, {Task("tasks/1"), Task("tasks/2"), Task("tasks/3")}, {{"a", 2}, {"b", 1}, {"a", 1}}};
  snapshot.ready[0].owner_create_micros = -5;
  snapshot.ready[1].tenant = std::string("b");
  EXPECT_THAT(PickTask(snapshot, kWorker), Optional(1));
  snapshot.ready[2].tenant = std::string("c");  // has nothing running
  EXPECT_THAT(PickTask(snapshot, kWorker), Optional(2));
}

TEST(Policy, OlderOwnerGoesFirst) {
  PolicySnapshot snapshot{0, {Task("tasks/1"), Task("tasks/2")}, {}};
  snapshot.ready[0].owner_create_micros = 20;
  snapshot.ready[0].cost_flops = 9;
  snapshot.ready[1].owner_create_micros = 10;
  EXPECT_THAT(PickTask(snapshot, kWorker), Optional(1));
}

TEST(Policy, LargerCostGoesFirstThenTheName) {
  PolicySnapshot snapshot{0, {Task("tasks/3"), Task("tasks/1"), Task("tasks/2")}, {}};
  EXPECT_THAT(PickTask(snapshot, kWorker), Optional(1));
  snapshot.ready[2].cost_flops = 1;
  EXPECT_THAT(PickTask(snapshot, kWorker), Optional(2));
}

TEST(Policy, BackOffMustBeOver) {
  PolicySnapshot snapshot{99, {Task("tasks/1")}, {}};
  snapshot.ready[0].not_before_micros = 100;
  EXPECT_EQ(PickTask(snapshot, kWorker), std::nullopt);
  snapshot.now_micros = 100;
  EXPECT_THAT(PickTask(snapshot, kWorker), Optional(0));
}

TEST(Policy, MemoryMustFit) {
  PolicySnapshot snapshot{0, {Task("tasks/1"), Task("tasks/2")}, {}};
  snapshot.ready[0].memory_bytes = 1001;
  EXPECT_THAT(PickTask(snapshot, kWorker), Optional(1));
  snapshot.ready[1].memory_bytes = 1001;
  EXPECT_EQ(PickTask(snapshot, kWorker), std::nullopt);
}

TEST(Policy, PinnedClassBindsNumericTasksOnly) {
  PolicySnapshot snapshot{0, {Task("tasks/1")}, {}};
  snapshot.ready[0].pinned_class = std::string("cpu-avx2");
  EXPECT_THAT(PickTask(snapshot, kWorker), Optional(0));
  snapshot.ready[0].numeric = true;
  EXPECT_EQ(PickTask(snapshot, kWorker), std::nullopt);
  snapshot.ready[0].pinned_class = std::string("cpu-avx512");
  EXPECT_THAT(PickTask(snapshot, kWorker), Optional(0));
}

TEST(Policy, PinnedCodeBindsAllTasks) {
  PolicySnapshot snapshot{0, {Task("tasks/1")}, {}};
  snapshot.ready[0].pinned_code = std::string("code0");
  EXPECT_EQ(PickTask(snapshot, kWorker), std::nullopt);
  snapshot.ready[0].pinned_code = std::string("code1");
  EXPECT_THAT(PickTask(snapshot, kWorker), Optional(0));
}

TEST(Policy, OrderOfTheSnapshotDoesNotMatter) {
  PolicySnapshot snapshot{0, {Task("tasks/1"), Task("tasks/2"), Task("tasks/3")}, {}};
  snapshot.ready[1].priority = 1;
  const std::string picked = snapshot.ready[*PickTask(snapshot, kWorker)].task;
  std::reverse(snapshot.ready.begin(), snapshot.ready.end());
  EXPECT_EQ(snapshot.ready[*PickTask(snapshot, kWorker)].task, picked);
}

TEST(Policy, RetryDelaysGrow) {
  EXPECT_EQ(RetryDelayMicros(1), 0);
  EXPECT_EQ(RetryDelayMicros(2), 1'000'000);
  EXPECT_EQ(RetryDelayMicros(3), 5'000'000);
  EXPECT_EQ(RetryDelayMicros(4), 25'000'000);
  EXPECT_EQ(RetryDelayMicros(9), 25'000'000);
}

}  // namespace
}  // namespace bitwright::server
