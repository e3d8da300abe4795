#include "server/scheduler/releasing.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/numbers.h"
#include "google/rpc/status.pb.h"
#include "proto/base/errors.h"
#include "proto/base/log.h"
#include "proto/base/wire_time.h"
#include "proto/contract/compute_class.h"
#include "proto/contract/devices.h"
#include "proto/contract/limits.h"
#include "proto/contract/reasons.h"
#include "proto/contract/rpc_status.h"
#include "server/scheduler/ending.h"
#include "server/scheduler/job_spans.h"
#include "server/scheduler/policy.h"
#include "server/scheduler/routing.h"
#include "server/scheduler/scheduler_errors.h"
#include "server/scheduler/task_view.h"

namespace bitwright::server {
namespace {

// After what only a person or time mends.
constexpr absl::Duration kServersFaultPause = absl::Seconds(5);

void OnReleased(Core& core, const TaskRow& row, absl::Duration pause, const absl::Status& why, const Answer& answer,
                const absl::Status& fate) {
  Tell(core, answer, fate);
  const auto place = core.board.Find(row.name);
  if (!place || place->task->step != TaskStep::kEnding) return;
  LiveTask& task = *place->task;
  Owner& owner = *place->owner;
  task.step = TaskStep::kNone;
  if (!fate.ok()) {
    // It stays leased, and is released again when the owner's pause is over.
    task.release = [row, pause, why](Core& later) {
      if (const auto again = later.board.FindLease(row.name, row.fencing_token)) {
        Release(later, *again, row, pause, why, nullptr);
      }
    };
    return Refused(core, owner, fate);
  }
  TellAttempt(core, owner, task, {.time = TimeFromMicros(row.end_micros), .outcome = "released", .error = why});
  core.board.SetRow(owner, task, row);
  task.ready_since = core.clock.Monotonic();
  task.not_before = core.clock.Monotonic() + pause;
  const auto calls = std::exchange(task.when_written, {});
  Vacate(core, owner, task);
  if (task.sources_left > 0) core.board.Move(owner, task, TaskEvent::kSourceLost);
  Changed(core, owner);
  Route(core, owner, task);
  for (const auto& call : calls) call(core);
}

// A task that met the bound of its worker goes to one with more, if there is one.
void AskForMore(Core& core, LiveTask& task, const absl::Status& error) {
  const auto detail = GetErrorDetail(error);
  if (!detail || detail->reason != Reason::kOutOfMemory) return;
  // Which of its two memories ended is not known there; it goes to another worker anyway.
  if (task.node.numeric && DeviceOfClass(task.compute_class) != DeviceKind::kCpu) return;
  const auto text = detail->metadata.find("available_bytes");
  int64_t had = 0;
  if (text == detail->metadata.end() || !absl::SimpleAtoi(text->second, &had)) had = task.node.memory.bytes;
  int64_t largest = 0;
  for (const Offer& offer : core.executor.Offers(core.clock.Monotonic())) {
    largest = std::max(largest, offer.memory_bytes);
  }
  const int64_t wanted = std::min(largest, had + 1);
  if (wanted > task.node.memory.bytes) task.node.memory = {wanted, 0};
}

}  // namespace

void Release(Core& core, TaskBoard::Place place, TaskRow row, absl::Duration pause, const absl::Status& why,
             Answer answer) {
  LiveTask& task = *place.task;
  if (task.step != TaskStep::kNone || place.owner->closing) return Tell(core, answer, absl::OkStatus());
  task.step = TaskStep::kEnding;
  task.release = nullptr;
  core.executor.Withdraw(row.name);
  row.end_micros = ToMicros(core.clock.Now());
  Change change;
  change.expected = {{row.name, TaskState::kLeased, row.fencing_token}};
  change.tasks = {row};
  Commit(core, *place.owner, std::move(change),
         [row, pause, why, answer = std::move(answer)](Core& under_lock, Owner*, const absl::Status& fate) {
           OnReleased(under_lock, row, pause, why, answer, fate);
         });
}

void RetryTask(Core& core, TaskBoard::Place place, const absl::Status& error, Answer answer) {
  LiveTask& task = *place.task;
  LOG(WARNING) << task.row.name << " (" << task.node.key << " of " << place.owner->name << ") attempt "
               << task.row.attempt << " failed: " << error.ToString();
  TaskRow row = task.row;
  row.error = ToProto(error).SerializeAsString();
  if (row.attempt >= limits::kMaxTaskAttempts) {
    task.failure = row.error;
    return FailOwner(core, *place.owner, AttemptsExhaustedError(task.node.key, row.attempt, error), std::move(answer));
  }
  const absl::Duration pause = RetryDelay(row.attempt + 1);
  MoveTask(row, TaskEvent::kReleased);
  row.not_before_micros = ToMicros(core.clock.Now() + pause);
  AskForMore(core, task, error);
  core.metrics.TaskRetried();
  Release(core, place, std::move(row), pause, error, std::move(answer));
}

void PutBack(Core& core, TaskBoard::Place place, const absl::Status* error, Answer answer) {
  TaskRow row = place.task->row;
  MoveTask(row, TaskEvent::kReleased);
  row.attempt -= 1;
  if (error != nullptr) row.error = ToProto(*error).SerializeAsString();
  Release(core, place, std::move(row), error != nullptr ? kServersFaultPause : absl::ZeroDuration(),
          error != nullptr ? *error : absl::OkStatus(), std::move(answer));
}

void RequeueTask(Core& core, const std::string& name, Answer answer) {
  const auto place = core.board.Find(name);
  if (!place) return Tell(core, answer, TaskNotFoundError(name));
  LiveTask& task = *place->task;
  if (task.step == TaskStep::kStarting || task.step == TaskStep::kEnding) {
    task.when_written.push_back([name, answer](Core& under_lock) { RequeueTask(under_lock, name, answer); });
    return;
  }
  if (task.row.state != TaskState::kLeased || place->owner->closing) {
    return Tell(core, answer, TaskNotRunningError(name, TaskStateName(task.row.state)));
  }
  LOG(INFO).With("task", name).With("worker", task.row.worker) << "put back, as an operator wants it";
  PutBack(core, *place, nullptr, std::move(answer));
}

void TakeLost(Core& core) {
  for (const LostLease& lost : core.executor.Lost(core.clock.Monotonic())) {
    const auto place = core.board.FindLease(lost.task, lost.fencing_token);
    if (!place || place->task->step != TaskStep::kNone) continue;  // its end is being written
    if (lost.why.ok()) {
      PutBack(core, *place, nullptr, nullptr);
    } else {
      const bool expired = ErrorReason(lost.why) == Reason::kLeaseExpired;
      RetryTask(core, *place, lost.why, [&metrics = core.metrics, expired](const absl::Status& released) {
        if (expired && released.ok()) metrics.LeaseExpired();
      });
    }
  }
}

}  // namespace bitwright::server
