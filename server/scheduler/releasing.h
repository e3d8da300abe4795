#pragma once

#include <string>

#include "absl/status/status.h"
#include "server/scheduler/core.h"

namespace bitwright::server {

// Puts a leased task back after a fault of the machinery, to run after a pause; fails its owner after the last attempt
// (then the owner may be gone).
absl::Status RetryTask(Core& core, TaskBoard::Place place, const absl::Status& error);

// Puts a leased task back as if it had not been leased.
absl::Status PutBack(Core& core, TaskBoard::Place place);

// Releases every task that the worker runs and forgets the worker: with a fault each counts as a failed attempt.
void ReleaseWorker(Core& core, const std::string& worker, const absl::Status* fault);

}  // namespace bitwright::server
