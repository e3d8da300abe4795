#pragma once

#include "server/scheduler/core.h"

namespace bitwright::server {

// Releases the tasks whose lease has run out (a failed attempt), and at once those whose worker was a process of this
// machine that has ended with an earlier server (no attempt is counted).
void ExpireLeases(Core& core);

}  // namespace bitwright::server
