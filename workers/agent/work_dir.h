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

// Where the folders of a lane's tasks are made. A child of the lane is let into these two and nothing else.
struct LaneDirs {
  std::string inputs;
  std::string outputs;
};

// The two folders of one task.
struct TaskDirs {
  std::string inputs;   // links named by sha256, of inputs and of pieces of inputs
  std::string outputs;  // empty at first
};

// A worker's own folder: "lock" (held while the worker runs), "cache/", "tasks/{lane}/{in,out}/{n}". Thread-safe.
class WorkDir {
 public:
  // Makes it, takes the lock, removes what an earlier run left in "tasks". FAILED_PRECONDITION, reason WORK_DIR_IN_USE;
  // UNAVAILABLE, reason FILE_UNREADABLE.
  static absl::StatusOr<WorkDir> Open(const std::string& path);

  // The first of "{root}/0", "{root}/1" … that no other worker uses, so that a worker that comes back finds what it had
  // downloaded. FAILED_PRECONDITION, reason WORK_DIR_IN_USE: all 1,000 are used; UNAVAILABLE, reason
  // FILE_UNREADABLE: others may write into root; errors of Open.
  static absl::StatusOr<WorkDir> OpenFree(const std::string& root);

  // `name`: a plain file name, one for each lane.
  absl::StatusOr<LaneDirs> NewLane(const std::string& name);
  absl::StatusOr<TaskDirs> NewTask(const LaneDirs& lane);
  void Remove(const TaskDirs& dirs);
  std::string CachePath() const { return path_ + "/cache"; }

 private:
  WorkDir(std::string path, OwnedFd lock) : path_(std::move(path)), lock_(std::move(lock)) {}
  std::string path_;
  OwnedFd lock_;
  std::unique_ptr<std::atomic<int64_t>> next_ = std::make_unique<std::atomic<int64_t>>(0);
};

// Links every input of the spec into dirs.inputs, as "{sha256}"; of one with pieces these, unless it is at hand whole:
// by a second name of the same file (hard link), which leads nowhere
// else, or, where the file system cannot do that, by a symbolic link. The targets of the latter, sorted. UNAVAILABLE:
// an input cannot be had or linked.
absl::StatusOr<std::vector<std::string>> LinkInputs(const v1::TaskSpec& spec, const TaskDirs& dirs, InputSource& source,
                                                    const CancelToken& cancel);

}  // namespace bitwright::worker
