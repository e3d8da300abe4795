#pragma once

#include "workers/agent/worker_program.h"

namespace bitwright::worker {

// The program `bitwright-worker`: an agent, or with --execute the child of one. Returns the exit code: 0 when it was
// asked to stop, 1 for an error, 2 for wrong options.
int WorkerMain(int argc, char** argv, const WorkerProgram& program);

}  // namespace bitwright::worker
