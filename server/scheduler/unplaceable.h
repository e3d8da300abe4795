#pragma once

#include "server/scheduler/core.h"

namespace bitwright::server {

// Fails owners with a ready task that no worker has the memory for. Without workers nothing is known and nothing fails.
void FailTooLarge(Core& core);

// Fails jobs whose pinned class and code no worker has had for longer than the options' patience, though there are
// workers.
void FailUnmatched(Core& core);

}  // namespace bitwright::server
