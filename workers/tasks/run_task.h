#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "bitwright/v1/tasks.pb.h"
#include "workers/base/thread_pool.h"

namespace bitwright {

// What a task may use besides its spec.
struct TaskContext {
  std::function<std::string(const std::string& input_name)> input_path;  // absolute path of an input blob; empty: none
  std::string output_dir;                                                // RunTask writes its output files here
  ThreadPool* pool = nullptr;
  std::function<void(double fraction)> progress;  // 0..1; cheap, may be called often, from any thread
};

struct TaskOutputFile {
  std::string name;  // of the output
  std::string file;  // its name in output_dir
};

// Runs one task. An error is the task's own fault: bad input, not the machine's.
absl::StatusOr<std::vector<TaskOutputFile>> RunTask(const v1::TaskSpec& spec, TaskContext& context);

}  // namespace bitwright
