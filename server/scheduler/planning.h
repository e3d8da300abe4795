#pragma once

#include <string>

#include "server/scheduler/core.h"

namespace bitwright::server {

// What follows from what is there: learns from outputs, makes tasks as far as the facts lead, routes those that are
// ready, and ends the owner when all is done. What reads or computes runs outside the lock and comes back here.
void Advance(Core& core, Owner& owner);

// The task is DONE by now: those that waited for nothing else are ready.
void OnDone(Core& core, Owner& owner, LiveTask& task);

// A finished task's output is lost or is not what it should be: the task runs again, and what reads from it waits for
// it. Beyond a few times the owner fails with `why`.
void RunAgain(Core& core, Owner& owner, LiveTask& task, const absl::Status& why);

}  // namespace bitwright::server
