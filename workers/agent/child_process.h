#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "bitwright/v1/tasks.pb.h"
#include "proto/base/owned_fd.h"

namespace bitwright::worker {

struct ChildOptions {
  std::string program = "/proc/self/exe";  // run as `program --execute --compute-class C [INPUTS OUTPUTS]`
  std::string compute_class;
  // Folders below which those of all its tasks are; empty: those of its first task.
  std::string inputs;
  std::string outputs;
  std::vector<std::string> log_options;  // --log-level and --log-format with their values
  std::string device;                    // --device, "cuda:1"; empty: the processor
};

// A process that runs tasks: empty environment (but for what CUDA needs to find the card and its libraries), no open
// files but its pipes and standard error, own process group, no core dumps, and where the kernel has Landlock no files
// but its tasks' own (file_rules.h); it dies with the thread that started it, so start it from one that lives as long
// as the agent.
class ChildProcess {
 public:
  // UNAVAILABLE, reason CHILD_NOT_STARTED.
  static absl::StatusOr<std::unique_ptr<ChildProcess>> Start(const ChildOptions& options);
  // Ends the child: asks it to by closing its input, kills it when it does not within a second.
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  // Runs one task and returns the child's result or error event. UNAVAILABLE, reason CHILD_DIED or PIPE_BROKEN: no
  // answer came; the child is of no further use. Not for two threads at the same time.
  absl::StatusOr<v1::ExecuteEvent> Execute(const v1::ExecuteRequest& request,
                                           const std::function<void(double fraction)>& progress);

  // Ends the child's process group at once; a running Execute then returns CHILD_DIED. From any thread.
  void Kill();

  pid_t pid() const { return pid_; }

 private:
  ChildProcess(pid_t pid, OwnedFd in, OwnedFd out) : pid_(pid), in_(std::move(in)), out_(std::move(out)) {}
  absl::Status Died();
  // Waits for the end of a child that is ending.
  bool Reap() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const pid_t pid_;
  OwnedFd in_;   // the child's standard input
  OwnedFd out_;  // the child's standard output
  absl::Mutex mutex_;
  bool reaped_ ABSL_GUARDED_BY(mutex_) = false;
  int wait_status_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace bitwright::worker
