#include "server/scheduler/board.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace bitwright::server {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

LiveTask Task(const std::string& name) {
  LiveTask task;
  task.node.key = "key of " + name;
  task.node.spec.set_kind("inspect");
  task.row.name = name;
  task.digest = "digest";
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
    board_.AddTask(*owner_, Task("tasks/2"));
  }

  LiveTask& task(const std::string& name = "tasks/1") { return *board_.Find(name)->task; }
  void Step(TaskEvent event) {
    TaskRow row = task().row;
    MoveTask(row, event);
    row.fencing_token += event == TaskEvent::kLeased ? 1 : 0;
    board_.SetRow(*owner_, task(), std::move(row));
  }
  int64_t Count(TaskState state) const { return board_.states()[static_cast<size_t>(state)]; }

  TaskBoard board_;
  Owner* owner_ = nullptr;
};

TEST_F(BoardTest, ALeaseIsFoundUnderItsToken) {
  board_.Move(*owner_, task(), TaskEvent::kSourcesDone);
  EXPECT_FALSE(board_.FindLease("tasks/1", 0).has_value());
  Step(TaskEvent::kLeased);
  EXPECT_TRUE(board_.FindLease("tasks/1", 1).has_value());
  EXPECT_FALSE(board_.FindLease("tasks/1", 2).has_value());
  Step(TaskEvent::kReleased);
  EXPECT_FALSE(board_.FindLease("tasks/1", 1).has_value());
}

TEST_F(BoardTest, EqualTasksWaitForTheOneThatRuns) {
  EXPECT_FALSE(board_.Runs(*owner_, task("tasks/1")));
  board_.Occupy(*owner_, task("tasks/1"));
  EXPECT_TRUE(board_.Runs(*owner_, task("tasks/2")));
  board_.Block(*owner_, task("tasks/2"));
  EXPECT_EQ(task("tasks/2").blocked_on, "digest");
  EXPECT_THAT(board_.Vacate(*owner_, task("tasks/2")), IsEmpty()) << "it does not run";
  EXPECT_THAT(board_.Vacate(*owner_, task("tasks/1")), ElementsAre("tasks/2"));
  EXPECT_FALSE(board_.Runs(*owner_, task("tasks/1")));
}

TEST_F(BoardTest, EqualTasksOfAnotherTenantDoNotWait) {
  auto other = std::make_unique<Owner>();
  other->name = "jobs/2";
  other->work.emplace<JobWork>().row.tenant = "other";
  Owner& owner = board_.Add(std::move(other));
  board_.AddTask(owner, Task("tasks/3"));
  board_.Occupy(*owner_, task("tasks/1"));
  EXPECT_FALSE(board_.Runs(owner, task("tasks/3")));
  board_.Occupy(owner, task("tasks/3"));
  board_.Block(*owner_, task("tasks/2"));
  EXPECT_THAT(board_.Vacate(owner, task("tasks/3")), IsEmpty());
  EXPECT_TRUE(board_.Runs(*owner_, task("tasks/1")));
  EXPECT_THAT(board_.Vacate(*owner_, task("tasks/1")), ElementsAre("tasks/2"));
}

TEST_F(BoardTest, CountsFollowTheStates) {
  EXPECT_EQ(Count(TaskState::kWaiting), 2);
  board_.Move(*owner_, task(), TaskEvent::kSourcesDone);
  Step(TaskEvent::kLeased);
  board_.SetProgress(*owner_, task(), 0.5);
  EXPECT_EQ(Count(TaskState::kLeased), 1);
  EXPECT_TRUE(owner_->AnyLeased());
  ASSERT_EQ(owner_->tally.kinds().size(), 1u);
  EXPECT_EQ(owner_->tally.kinds()[0].running, 1);
  EXPECT_EQ(owner_->tally.kinds()[0].progress, 0.5);
  Step(TaskEvent::kCompleted);
  EXPECT_EQ(owner_->tally.kinds()[0].finished, 1);
  EXPECT_EQ(owner_->tally.kinds()[0].progress, 0);
  EXPECT_FALSE(owner_->AllDone());
  EXPECT_DOUBLE_EQ(owner_->tally.done(), WeightOf(task().node));
  EXPECT_EQ(board_.jobs(), 1);
  board_.Remove(*owner_);
  EXPECT_EQ(Count(TaskState::kWaiting) + Count(TaskState::kDone), 0);
  EXPECT_EQ(board_.jobs(), 0);
  EXPECT_FALSE(board_.Find("tasks/1").has_value());
}

TEST_F(BoardTest, AnOwnerOfWhichNothingBeganIsUntouched) {
  EXPECT_TRUE(owner_->Untouched());
  board_.Move(*owner_, task(), TaskEvent::kSourcesDone);
  EXPECT_TRUE(owner_->Untouched());
  Step(TaskEvent::kLeased);
  EXPECT_FALSE(owner_->Untouched());
  Step(TaskEvent::kReleased);
  EXPECT_FALSE(owner_->Untouched()) << "its row has an attempt";
}

}  // namespace
}  // namespace bitwright::server
