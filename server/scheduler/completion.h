#pragma once

#include <optional>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "server/scheduler/core.h"

namespace bitwright::server {

// How far a job has come, by weights: the operations of its tasks, those that are only predicted included. All of them
// do nothing for a model.

// Raises job.progress to what finished and running tasks amount to. It never falls, whatever the forecast becomes, and
// stays below 1 until the job has SUCCEEDED.
void RaiseProgress(Owner& owner);

// Time until the end, from the measured speed and the tasks that can run side by side. Nothing before something was
// measured, and while the job does not run.
std::optional<absl::Duration> Remaining(const Core& core, const Owner& owner);

}  // namespace bitwright::server
