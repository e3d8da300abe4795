#pragma once

#include "server/scheduler/results.h"

namespace bitwright::server {

// A leased task is put back after a fault of the machinery, to be tried again after a pause; after the last attempt its
// owner fails. `answer` may be null.
void RetryTask(Core& core, TaskBoard::Place place, const absl::Status& error, Answer answer);

// The same without counting the attempt. `error`: what kept it from running, after which there is a pause; null:
// nothing did, it can go on at once.
void PutBack(Core& core, TaskBoard::Place place, const absl::Status* error, Answer answer);

// An operator takes a running task from its worker: it is put back without counting the attempt. NOT_FOUND, reason
// TASK_NOT_FOUND; FAILED_PRECONDITION, reason TASK_NOT_RUNNING.
void RequeueTask(Core& core, const std::string& name, Answer answer);

// Writes the released row of a leased task, and routes it when `pause` is over. `why`: what went wrong; OK: nothing.
void Release(Core& core, TaskBoard::Place place, TaskRow row, absl::Duration pause, const absl::Status& why,
             Answer answer);

// Leases that the executor lost.
void TakeLost(Core& core);

}  // namespace bitwright::server
