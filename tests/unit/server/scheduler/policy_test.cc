#include "server/scheduler/policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace bitwright::server {
namespace {

using ::testing::Optional;

MonotonicTime At(int seconds) { return MonotonicTime(absl::Seconds(seconds)); }

ReadyTask Task(const std::string& name) { return {.task = name, .tenant = std::string("a"), .memory_bytes = 100}; }

const AskingWorker kWorker{.compute_class = "cpu-avx512", .code_version = "code1", .memory_bytes = 1000};

TEST(Policy, NothingReadyGivesNothing) { EXPECT_EQ(PickTask({}, kWorker), std::nullopt); }

TEST(Policy, HigherPriorityGoesFirst) {
  PolicySnapshot snapshot{At(0), {Task("tasks/1"), Task("tasks/2")}, {{"a", 9}}};
  snapshot.ready[0].owner_create_time = absl::FromUnixMicros(-5);
  snapshot.ready[0].priority = -1;
  snapshot.ready[1].priority = 2;
  EXPECT_THAT(PickTask(snapshot, kWorker), Optional(1));
}

TEST(Policy, TenantWithFewerRunningTasksGoesFirst) {
  PolicySnapshot snapshot{At(0), {Task("tasks/1"), Task("tasks/2"), Task("tasks/3")}, {{"a", 2}, {"b", 1}, {"a", 1}}};
  snapshot.ready[0].owner_create_time = absl::FromUnixMicros(-5);
  snapshot.ready[1].tenant = std::string("b");
  EXPECT_THAT(PickTask(snapshot, kWorker), Optional(1));
  snapshot.ready[2].tenant = std::string("c");  // has nothing running
  EXPECT_THAT(PickTask(snapshot, kWorker), Optional(2));
}

TEST(Policy, OlderOwnerGoesFirst) {
  PolicySnapshot snapshot{At(0), {Task("tasks/1"), Task("tasks/2")}, {}};
  snapshot.ready[0].owner_create_time = absl::FromUnixMicros(20);
  snapshot.ready[0].cost_flops = 9;
  snapshot.ready[1].owner_create_time = absl::FromUnixMicros(10);
  EXPECT_THAT(PickTask(snapshot, kWorker), Optional(1));
}

TEST(Policy, LargerCostGoesFirstThenTheName) {
  PolicySnapshot snapshot{At(0), {Task("tasks/3"), Task("tasks/1"), Task("tasks/2")}, {}};
  EXPECT_THAT(PickTask(snapshot, kWorker), Optional(1));
  snapshot.ready[2].cost_flops = 1;
  EXPECT_THAT(PickTask(snapshot, kWorker), Optional(2));
}

TEST(Policy, BackOffMustBeOver) {
  PolicySnapshot snapshot{At(99), {Task("tasks/1")}, {}};
  snapshot.ready[0].not_before = At(100);
  EXPECT_EQ(PickTask(snapshot, kWorker), std::nullopt);
  snapshot.now = At(100);
  EXPECT_THAT(PickTask(snapshot, kWorker), Optional(0));
}

TEST(Policy, MemoryMustFit) {
  PolicySnapshot snapshot{At(0), {Task("tasks/1"), Task("tasks/2")}, {}};
  snapshot.ready[0].memory_bytes = 1001;
  EXPECT_THAT(PickTask(snapshot, kWorker), Optional(1));
  snapshot.ready[1].memory_bytes = 1001;
  EXPECT_EQ(PickTask(snapshot, kWorker), std::nullopt);
}

TEST(Policy, SmallTasksAloneAreGivenToWhoAsksForThem) {
  PolicySnapshot snapshot{At(0), {Task("tasks/1"), Task("tasks/2")}, {}};
  snapshot.ready[0].cost_flops = 9;
  AskingWorker lane = kWorker;
  lane.small_only = true;
  EXPECT_EQ(PickTask(snapshot, lane), std::nullopt);
  snapshot.ready[1].small = true;
  EXPECT_THAT(PickTask(snapshot, lane), Optional(1));
  EXPECT_THAT(PickTask(snapshot, kWorker), Optional(0));
  snapshot.ready.erase(snapshot.ready.begin());
  EXPECT_THAT(PickTask(snapshot, kWorker), Optional(0)) << "whoever asks gets them";
}

TEST(Policy, ALaneOfItsOwnHasMemoryForSmallTasks) {
  PolicySnapshot snapshot{At(0), {Task("tasks/1")}, {}};
  snapshot.ready[0].memory_bytes = 1001;
  AskingWorker lane = kWorker;
  lane.small_lane = true;
  EXPECT_EQ(PickTask(snapshot, lane), std::nullopt);
  snapshot.ready[0].small = true;
  EXPECT_THAT(PickTask(snapshot, lane), Optional(0));
}

TEST(Policy, PinnedClassBindsNumericTasksOnly) {
  PolicySnapshot snapshot{At(0), {Task("tasks/1")}, {}};
  snapshot.ready[0].pinned_class = std::string("cpu-avx2");
  EXPECT_THAT(PickTask(snapshot, kWorker), Optional(0));
  snapshot.ready[0].numeric = true;
  EXPECT_EQ(PickTask(snapshot, kWorker), std::nullopt);
  snapshot.ready[0].pinned_class = std::string("cpu-avx512");
  EXPECT_THAT(PickTask(snapshot, kWorker), Optional(0));
}

TEST(Policy, PinnedCodeBindsAllTasks) {
  PolicySnapshot snapshot{At(0), {Task("tasks/1")}, {}};
  snapshot.ready[0].pinned_code = std::string("code0");
  EXPECT_EQ(PickTask(snapshot, kWorker), std::nullopt);
  snapshot.ready[0].pinned_code = std::string("code1");
  EXPECT_THAT(PickTask(snapshot, kWorker), Optional(0));
}

TEST(Policy, OrderOfTheSnapshotDoesNotMatter) {
  PolicySnapshot snapshot{At(0), {Task("tasks/1"), Task("tasks/2"), Task("tasks/3")}, {}};
  snapshot.ready[1].priority = 1;
  const std::string picked = snapshot.ready[*PickTask(snapshot, kWorker)].task;
  std::reverse(snapshot.ready.begin(), snapshot.ready.end());
  EXPECT_EQ(snapshot.ready[*PickTask(snapshot, kWorker)].task, picked);
}

TEST(Policy, RetryDelaysGrow) {
  EXPECT_EQ(RetryDelay(1), absl::ZeroDuration());
  EXPECT_EQ(RetryDelay(2), absl::Seconds(1));
  EXPECT_EQ(RetryDelay(3), absl::Seconds(5));
  EXPECT_EQ(RetryDelay(4), absl::Seconds(25));
  EXPECT_EQ(RetryDelay(9), absl::Seconds(25));
}

}  // namespace
}  // namespace bitwright::server
