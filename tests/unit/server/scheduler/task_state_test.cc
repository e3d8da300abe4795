#include "server/scheduler/task_state.h"

#include <gtest/gtest.h>

#include <map>
#include <utility>

namespace bitwright::server {
namespace {

constexpr auto kWaiting = TaskState::kWaiting;
constexpr auto kReady = TaskState::kReady;
constexpr auto kDone = TaskState::kDone;
constexpr auto kCancelled = TaskState::kCancelled;
constexpr auto kSourcesDone = TaskEvent::kSourcesDone;
constexpr auto kLeased = TaskEvent::kLeased;
constexpr auto kFoundInCache = TaskEvent::kFoundInCache;
constexpr auto kCompleted = TaskEvent::kCompleted;
constexpr auto kReleased = TaskEvent::kReleased;
constexpr auto kOwnerEnded = TaskEvent::kOwnerEnded;
constexpr auto kServerRestarted = TaskEvent::kServerRestarted;

// The table of task_state.h, written a second time: what is not here must end the process.
const std::map<std::pair<TaskState, TaskEvent>, TaskState> kTable = {
    {{kWaiting, kSourcesDone}, kReady},
    {{kReady, kSourcesDone}, kReady},
    {{kReady, kLeased}, TaskState::kLeased},
    {{kReady, kFoundInCache}, kDone},
    {{TaskState::kLeased, kCompleted}, kDone},
    {{TaskState::kLeased, kReleased}, kReady},
    {{TaskState::kLeased, TaskEvent::kFailed}, TaskState::kFailed},
    {{kWaiting, kOwnerEnded}, kCancelled},
    {{kReady, kOwnerEnded}, kCancelled},
    {{TaskState::kLeased, kOwnerEnded}, kCancelled},
    {{kDone, kOwnerEnded}, kDone},
    {{TaskState::kFailed, kOwnerEnded}, TaskState::kFailed},
    {{kCancelled, kOwnerEnded}, kCancelled},
    {{kWaiting, kServerRestarted}, kWaiting},
    {{kReady, kServerRestarted}, kWaiting},
    {{TaskState::kLeased, kServerRestarted}, TaskState::kLeased},
    {{kDone, kServerRestarted}, kDone},
    {{TaskState::kFailed, kServerRestarted}, kWaiting},
    {{kCancelled, kServerRestarted}, kWaiting},
    {{kDone, TaskEvent::kOutputLost}, kWaiting},
    {{kWaiting, TaskEvent::kSourceLost}, kWaiting},
    {{kReady, TaskEvent::kSourceLost}, kWaiting},
};

TEST(TaskState, FollowsItsTable) {
  for (const auto& [from, to] : kTable) {
    EXPECT_EQ(NextTaskState(from.first, from.second), to)
        << static_cast<int>(from.first) << " at " << static_cast<int>(from.second);
    TaskRow row{.state = from.first};
    MoveTask(row, from.second);
    EXPECT_EQ(row.state, to);
  }
}

TEST(TaskStateDeathTest, EveryOtherStepIsABugOfOurs) {
  ::testing::FLAGS_gtest_death_test_style = "fast";
  for (int state = 0; state < 6; ++state) {
    for (int event = 0; event < 8; ++event) {
      const std::pair key(static_cast<TaskState>(state), static_cast<TaskEvent>(event));
      if (kTable.contains(key)) continue;
      EXPECT_DEATH(NextTaskState(key.first, key.second), "meets event");
    }
  }
}

}  // namespace
}  // namespace bitwright::server
