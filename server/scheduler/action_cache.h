#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "server/scheduler/core.h"

namespace bitwright::server {

// Ends a READY task with the outputs that an equal one, of this digest, left behind, on behalf of the worker that would
// get it. True: it did, the owner has advanced and may be gone. False: the cache does not hold them, or not all bytes.
absl::StatusOr<bool> FinishFromCache(Core& core, Owner& owner, LiveTask& task, const std::string& digest,
                                     const v1::WorkerCapacity& asker);

// A model whose files were inspected before, by the code of any worker that is here, is ready before its creation
// returns. Does nothing for a job.
void InspectFromCache(Core& core, Owner& owner);

}  // namespace bitwright::server
