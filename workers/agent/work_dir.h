#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "bitwright/v1/tasks.pb.h"
#include "proto/base/owned_fd.h"
#include "workers/agent/input_source.h"

namespace bitwright::worker {

// The two folders of one task.
struct TaskDirs {
  std::string root;
  std::string inputs;   // links named by sha256
  std::string outputs;  // empty at first
};

// A worker's own folder: "lock" (held while the worker runs), "cache/", "tasks/{n}/{in,out}". Thread-safe.
class WorkDir {
 public:
  // Makes it, takes the lock, removes what an earlier run left in "tasks". FAILED_PRECONDITION, reason WORK_DIR_IN_USE;
  // UNAVAILABLE, reason FILE_UNREADABLE.
  static absl::StatusOr<WorkDir> Open(const std::string& path);

  absl::StatusOr<TaskDirs> NewTask();
  void Remove(const TaskDirs& dirs);
  std::string CachePath() const { return path_ + "/cache"; }

 private:
  WorkDir(std::string path, OwnedFd lock) : path_(std::move(path)), lock_(std::move(lock)) {}
  std::string path_;
  OwnedFd lock_;
  std::unique_ptr<std::atomic<int64_t>> next_ = std::make_unique<std::atomic<int64_t>>(0);
};

// Links every input of the spec into dirs.inputs. UNAVAILABLE: an input cannot be had or linked.
absl::Status LinkInputs(const v1::TaskSpec& spec, const TaskDirs& dirs, InputSource& source, const CancelToken& cancel);

}  // namespace bitwright::worker
