#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "workers/base/thread_pool.h"

namespace bitwright::v1 {
class TaskSpec;
}  // namespace bitwright::v1

namespace bitwright::worker {

class Device;

// The device of numeric tasks, what is left to the host running on the pool. Its errors are those of the machine.
using MakeDeviceFunction = std::function<absl::StatusOr<std::unique_ptr<Device>>(ThreadPool& pool)>;

// What a task may use besides its spec: its input blobs as files, an empty folder for its outputs, threads, a device.
struct TaskContext {
  // Absolute; empty: no such input, or not all of it.
  std::function<std::string(const std::string& input_name)> input_path;
  // Of a piece of an input that is not there whole; absolute.
  std::function<std::string(const std::string& sha256)> piece_path;
  std::string output_dir;
  ThreadPool* pool = nullptr;                     // not owned
  MakeDeviceFunction make_device;                 // called once a task, where it computes on one; none: the processor
  int64_t memory_bytes = 0;                       // that the task may take; said where they do not suffice
  std::function<void(double fraction)> progress;  // cheap; may be called often, from the calling thread only
};

struct TaskOutputFile {
  std::string name;  // of the output, as in tasks.proto
  std::string file;  // within output_dir
};

// Runs one task: a pure function of spec and input bytes. The spec is taken as hostile: what is outside its limits is
// refused before anything is read (TASK_SPEC_INVALID, TASK_INPUT_MISSING, TASK_KIND_UNKNOWN).
//
// Errors with INVALID_ARGUMENT, FAILED_PRECONDITION and OUT_OF_RANGE are the input's own; NOT_FOUND, UNAVAILABLE
// (DEVICE_FAILED among them) and RESOURCE_EXHAUSTED (DISK_FULL, OUT_OF_MEMORY) are the machinery's. Sizes that no
// machine has leave as std::bad_array_new_length or std::length_error: they come from a mistake of ours, not from a
// lack of memory. Not thread-safe: one task at a time on a pool.
absl::StatusOr<std::vector<TaskOutputFile>> RunTask(const v1::TaskSpec& spec, TaskContext& context);

}  // namespace bitwright::worker
