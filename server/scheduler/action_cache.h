#pragma once

#include <optional>
#include <string>
#include <vector>

#include "server/scheduler/core.h"

namespace bitwright::server {

// What the action cache has for a task digest, of the same tenant: results of others are looked at by nobody.
struct Found {
  absl::Status status;
  std::optional<std::string> result;  // v1::TaskResult, when every output of it is held, row and bytes
  v1::TaskResult parsed;
  std::vector<BlobDigest> outputs;
};

// Without the lock.
Found LookUp(Store& store, HeldBlobs& blobs, const std::string& tenant, const std::string& digest);

// Moves a READY task that was looked up to DONE, and what that leads to; where an output has gone meanwhile it is
// enqueued. Marks the owner as begun, as a lease does.
void FinishFromCache(Core& core, Owner& owner, LiveTask& task, Found found);

}  // namespace bitwright::server
