#pragma once

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "bitwright/v1/workers.pb.h"
#include "server/scheduler/owner.h"

namespace bitwright::server {

// The job's row once a task of it is given to `worker`, or found in the action cache on its behalf: the job runs, and
// the first numeric task pins it to the worker's compute class and code version.
absl::StatusOr<JobRow> StartedRow(const JobWork& work, const LiveTask& task, const v1::WorkerCapacity& worker,
                                  absl::Time now);

// Takes that row over once it is durable. The revision that watchers have seen is kept.
void SetRow(JobWork& work, const JobRow& row);

}  // namespace bitwright::server
