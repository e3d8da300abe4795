#pragma once

#include <string>

#include "server/scheduler/core.h"

namespace bitwright::server {

// From READY to the executor: for which kind of place a task is made (policy.h), whether an equal one runs, whether
// the action cache has its result.

// WAITING, and every source is DONE: READY, and routed.
void BecomeReady(Core& core, Owner& owner, LiveTask& task);

// Starts the way of a READY task for which nothing is under way; without effect for others.
void Route(Core& core, Owner& owner, LiveTask& task);
// Every such task of the owner.
void RouteReady(Core& core, Owner& owner);

// Gives a READY task that was looked up to the executor.
void Enqueue(Core& core, Owner& owner, LiveTask& task);

// Jobs whose turn has come among their tenant's are routed; those that must wait after all are taken from the executor.
void ApplyGate(Core& core);

// The task that it waited for, of another owner, runs no more.
void Unblock(Core& core, const std::string& task);
// Back-offs that are over.
void RouteDue(Core& core);
// After a change of the fleet: tasks that no place might run, and those made for places that are there no more.
void RouteAfterFleetChange(Core& core);

Execution ToExecution(const Owner& owner, const LiveTask& task);
// What the task needs of a place, as far as that is settled: of a queued one, the kind that it was made for.
Requirements NeedsNow(const Owner& owner, const LiveTask& task);

}  // namespace bitwright::server
