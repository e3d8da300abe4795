#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "workers/agent/child_loop.h"
#include "workers/kernels/cuda/cuda_device.h"

namespace bitwright::worker {

// The graphics processors that the program can compute on; without functions: none.
struct CardProgram {
  std::function<std::vector<CudaCard>()> cards;
  // Loads what they compute with, so that the code version covers it.
  std::function<absl::Status()> load_libraries;
  std::function<absl::StatusOr<std::unique_ptr<Device>>(int ordinal, ThreadPool& pool)> make_device;
};

// What the numeric side of the program gives the agent, which itself knows nothing of it.
struct WorkerProgram {
  RunTaskFunction run_task;
  // The widest compute class of this machine's processor.
  std::function<std::string()> detect_compute_class;
  // Holds this process to a class; an error when the machine lacks it. Called in the agent (to refuse a wrong option)
  // and in the child before its first task and before the sandbox closes.
  std::function<absl::Status(const std::string& compute_class)> set_compute_class;
  CardProgram cards = {};
};

}  // namespace bitwright::worker
