#pragma once

#include <functional>
#include <string>

#include "workers/agent/child_loop.h"

namespace bitwright {

struct WorkerProgram {
  RunTaskFunction run_task;
  // In the child, once, before the first task and before the sandbox closes: limits the numeric libraries to a compute
  // class, opens what they read at start. May be empty.
  std::function<void(const std::string& compute_class)> prepare;
};

// The program `bitwright-worker`: an agent, or with --execute the child of one. Returns the exit code: 0 when it was
// asked to stop, 1 for an error, 2 for wrong options.
int WorkerMain(int argc, char** argv, const WorkerProgram& program);

}  // namespace bitwright
