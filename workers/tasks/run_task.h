#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "workers/base/thread_pool.h"

namespace bitwright::v1 {
class TaskSpec;
}  // namespace bitwright::v1

namespace bitwright::worker {

// What a task may use besides its spec: its input blobs as files, an empty folder for its outputs, threads.
struct TaskContext {
  std::function<std::string(const std::string& input_name)> input_path;  // absolute; empty: no such input
  std::string output_dir;
  ThreadPool* pool = nullptr;                     // not owned
  std::function<void(double fraction)> progress;  // cheap; may be called often, from the calling thread only
};

struct TaskOutputFile {
  std::string name;  // of the output, as in tasks.proto
  std::string file;  // within output_dir
};

// Runs one task: a pure function of spec and input bytes. Errors with INVALID_ARGUMENT, FAILED_PRECONDITION,
// OUT_OF_RANGE and RESOURCE_EXHAUSTED are the input's own; NOT_FOUND and UNAVAILABLE are the machinery's.
// Not thread-safe: one task at a time on a pool.
absl::StatusOr<std::vector<TaskOutputFile>> RunTask(const v1::TaskSpec& spec, TaskContext& context);

}  // namespace bitwright::worker
