#pragma once

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "workers/agent/child_loop.h"

namespace bitwright::worker {

// What the numeric side of the program gives the agent, which itself knows nothing of it.
struct WorkerProgram {
  RunTaskFunction run_task;
  // The widest compute class of this machine.
  std::function<std::string()> detect_compute_class;
  // Holds this process to a class; an error when the machine lacks it. Called in the agent (to refuse a wrong option)
  // and in the child before its first task and before the sandbox closes.
  std::function<absl::Status(const std::string& compute_class)> set_compute_class;
};

// The program `bitwright-worker`: an agent, or with --execute the child of one. Returns the exit code: 0 when it was
// asked to stop, 1 for an error, 2 for wrong options.
int WorkerMain(int argc, char** argv, const WorkerProgram& program);

}  // namespace bitwright::worker
