#pragma once

#include "server/scheduler/core.h"

namespace bitwright::server {

// Owners with a ready task that no worker which is there may ever run, and of which nothing runs: noted, so that they
// keep nobody out of the window; after the options' patience they fail with TASK_TOO_LARGE or WORKER_CLASS_GONE. While
// there is no worker at all nothing is known, and nothing fails.
void FailUnplaceable(Core& core);

}  // namespace bitwright::server
