#pragma once

#include <functional>
#include <string>

#include "server/scheduler/core.h"

namespace bitwright::server {

// Takes an unfinished model or job into memory from its rows: reads them without the lock, then goes on where they say.
// `then` (may be null) runs with it, or without where it is not there, has ended or cannot be read: its rows are the
// truth. One whose rows are damaged fails by that name, and nothing else is touched; what the store refuses to tell now
// is read again later.
void Load(Core& core, const std::string& name, std::function<void(Core&, Owner*)> then);

// At the start: all jobs that began, and the first of the queue.
absl::Status LoadStarted(Core& core);

}  // namespace bitwright::server
