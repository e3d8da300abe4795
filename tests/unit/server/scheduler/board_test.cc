#include "server/scheduler/board.h"

#include <gtest/gtest.h>

namespace bitwright::server {
namespace {

LiveTask Task(const std::string& name) {
  LiveTask task;
  task.node.key = "key of " + name;
  task.node.memory_bytes = 10;
  task.row.name = name;
  return task;
}

class BoardTest : public ::testing::Test {
 protected:
  BoardTest() {
    auto owner = std::make_unique<Owner>();
    owner->name = "jobs/1";
    owner->work.emplace<JobWork>();
    owner_ = &board_.Add(std::move(owner));
    board_.AddTask(*owner_, Task("tasks/1"));
    v1::WorkerCapacity capacity;
    capacity.set_memory_bytes(100);
    worker_ = board_.fleet().Add(capacity, SystemClock());
  }

  LiveTask& task() { return *board_.Find("tasks/1")->task; }
  void Step(TaskEvent event) {
    TaskRow row = task().row;
    MoveTask(row, event);
    row.worker = worker_;
    row.digest = "digest";
    row.fencing_token += event == TaskEvent::kLeased ? 1 : 0;
    board_.SetRow(task(), std::move(row));
  }

  TaskBoard board_;
  Owner* owner_ = nullptr;
  std::string worker_;
};

TEST_F(BoardTest, WhatRunsFollowsFromTheStates) {
  board_.SetReady(task(), MonotonicTime());
  EXPECT_FALSE(board_.Runs("digest"));
  Step(TaskEvent::kLeased);
  EXPECT_TRUE(board_.Runs("digest"));
  EXPECT_EQ(board_.fleet().busy(), 1);
  EXPECT_EQ(board_.fleet().Find(worker_)->free_memory_bytes(), 90);
  EXPECT_TRUE(board_.FindLease("tasks/1", 1).has_value());
  EXPECT_FALSE(board_.FindLease("tasks/1", 2).has_value());
  Step(TaskEvent::kReleased);
  EXPECT_FALSE(board_.Runs("digest"));
  EXPECT_EQ(board_.fleet().busy(), 0);
  EXPECT_FALSE(board_.FindLease("tasks/1", 1).has_value());
}

TEST_F(BoardTest, ARemovedOwnersTasksRunNoMore) {
  board_.SetReady(task(), MonotonicTime());
  Step(TaskEvent::kLeased);
  const int64_t before = board_.ready_changes();
  board_.Remove(*owner_);
  EXPECT_EQ(board_.FindOwner("jobs/1"), nullptr);
  EXPECT_FALSE(board_.Find("tasks/1").has_value());
  EXPECT_FALSE(board_.Runs("digest"));
  EXPECT_EQ(board_.fleet().busy(), 0);
  EXPECT_GT(board_.ready_changes(), before) << "an equal task may have waited for it";
}

TEST_F(BoardTest, TellsWhenSomethingMayHaveBecomeReady) {
  const int64_t before = board_.ready_changes();
  board_.SetReady(task(), MonotonicTime());
  const int64_t ready = board_.ready_changes();
  EXPECT_GT(ready, before);
  Step(TaskEvent::kLeased);
  EXPECT_EQ(board_.ready_changes(), ready) << "a lease makes nothing ready";
  Step(TaskEvent::kCompleted);
  EXPECT_GT(board_.ready_changes(), ready);
}

}  // namespace
}  // namespace bitwright::server
