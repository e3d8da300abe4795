#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "proto/base/clock.h"
#include "workers/agent/child_process.h"

namespace bitwright::worker {

// The one child that a lane of an agent keeps. It serves tasks of one owner and ends when a task of another owner
// comes, when its owner has ended, when a task fails in it, or when it was idle for long. Thread-safe; Acquire only
// from the lane's own thread.
class ChildSlot {
 public:
  explicit ChildSlot(ChildOptions options) : options_(std::move(options)) {}
  ~ChildSlot() { End(); }

  // The child of this owner, started if need be; busy until Release. UNAVAILABLE, reason CHILD_NOT_STARTED.
  //
  // A child is let into its lane's folders and into those files elsewhere to which the inputs of its first task link.
  // `linked` are those of this task, sorted; a child that was let into fewer is replaced.
  absl::StatusOr<std::shared_ptr<ChildProcess>> Acquire(const std::string& owner,
                                                        const std::vector<std::string>& linked = {});
  // After a task; a child that failed is ended.
  void Release(bool healthy, MonotonicTime now);

  // Of the child; empty: none.
  std::string owner() const;

  // Each leaves a busy child alone.
  void EndIfOver(const std::set<std::string>& ended_owners);
  void EndIfIdle(MonotonicTime now, absl::Duration limit);
  // How long until EndIfIdle would end the child; infinite without an idle child.
  absl::Duration UntilIdle(MonotonicTime now, absl::Duration limit) const;

  void End();
  // 0: none.
  pid_t pid() const;

 private:
  const ChildOptions options_;
  mutable absl::Mutex mutex_;
  std::shared_ptr<ChildProcess> child_ ABSL_GUARDED_BY(mutex_);
  std::string owner_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::string> linked_ ABSL_GUARDED_BY(mutex_);  // files elsewhere that child_ may read
  bool busy_ ABSL_GUARDED_BY(mutex_) = false;
  MonotonicTime last_used_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace bitwright::worker
