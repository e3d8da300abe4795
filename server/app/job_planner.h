#pragma once

#include <memory>

#include "server/scheduler/planner.h"

namespace bitwright::server {

// The planner of server/jobs.
std::unique_ptr<Planner> MakeJobPlanner();

}  // namespace bitwright::server
