#include "server/scheduler/task_state.h"

#include <array>

#include "proto/base/log.h"

namespace bitwright::server {
namespace {

constexpr int kStates = 6;
constexpr int kEvents = 10;
constexpr int kNever = -1;

// Rows by TaskState, columns by TaskEvent: the table of the header.
constexpr std::array<std::array<int, kEvents>, kStates> kNext = [] {
  constexpr int waiting = static_cast<int>(TaskState::kWaiting);
  constexpr int ready = static_cast<int>(TaskState::kReady);
  constexpr int leased = static_cast<int>(TaskState::kLeased);
  constexpr int done = static_cast<int>(TaskState::kDone);
  constexpr int failed = static_cast<int>(TaskState::kFailed);
  constexpr int cancelled = static_cast<int>(TaskState::kCancelled);
  return std::array<std::array<int, kEvents>, kStates>{{
      {ready, kNever, kNever, kNever, kNever, kNever, cancelled, waiting, kNever, waiting},
      {ready, leased, done, kNever, kNever, kNever, cancelled, waiting, kNever, waiting},
      {kNever, kNever, kNever, done, ready, failed, cancelled, leased, kNever, kNever},
      {kNever, kNever, kNever, kNever, kNever, kNever, done, done, waiting, kNever},
      {kNever, kNever, kNever, kNever, kNever, kNever, failed, waiting, kNever, kNever},
      {kNever, kNever, kNever, kNever, kNever, kNever, cancelled, waiting, kNever, kNever},
  }};
}();

}  // namespace

TaskState NextTaskState(TaskState state, TaskEvent event) {
  const int next = kNext[static_cast<size_t>(state)][static_cast<size_t>(event)];
  CHECK(next != kNever) << "a task in state " << static_cast<int>(state) << " meets event " << static_cast<int>(event);
  return static_cast<TaskState>(next);
}

void MoveTask(TaskRow& row, TaskEvent event) { row.state = NextTaskState(row.state, event); }

}  // namespace bitwright::server
