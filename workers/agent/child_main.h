#pragma once

#include "workers/agent/worker_flags.h"
#include "workers/agent/worker_program.h"

namespace bitwright::worker {

// The child of an agent, from its start to its end (child_loop.h): prepares the device, gives up what no task needs,
// and runs tasks from standard input. Ends the process; returns an exit code only where it could not begin.
int ChildMain(const WorkerFlags& flags, const WorkerProgram& program);

}  // namespace bitwright::worker
