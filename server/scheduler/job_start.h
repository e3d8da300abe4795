#pragma once

#include <functional>
#include <optional>

#include "absl/status/statusor.h"
#include "bitwright/v1/workers.pb.h"
#include "server/scheduler/core.h"

namespace bitwright::server {

// Gives a READY task what `row_of` makes of it within one transaction: the row that it has from now on, or nothing and
// no change. With it the task's job begins to run, and its first numeric task pins the job to the compute class and
// code version of `worker`, who got the task or would get it; the owner waits for nothing any more. True: all of it is
// durable, and memory follows.
absl::StatusOr<bool> BeginTask(Core& core, TaskBoard::Place place, const v1::WorkerCapacity& worker,
                               const std::function<absl::StatusOr<std::optional<TaskRow>>(Transaction&)>& row_of);

}  // namespace bitwright::server
