#pragma once

#include <optional>

#include "server/scheduler/core.h"

namespace bitwright::server {

// A place was found: the lease is written, and then given to its worker. Where the task cannot start after all (its
// owner ends, an equal task runs by now, the store refuses) the place is refused.
void StartTask(Core& core, const Placement& placement);

// A job's row with what the start of a task changes in it, to be written with that: RUNNING, and pinned to the class
// and code of its first numeric task. Nothing: it says all that already, or the owner is a model.
std::optional<JobRow> BegunRow(Core& core, Owner& owner, const LiveTask& task);
// That row, or none, is stored; or it could not be.
void OnBegun(Core& core, Owner& owner, const std::optional<JobRow>& row);
void OnNotBegun(Owner& owner);

}  // namespace bitwright::server
