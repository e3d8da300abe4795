#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "client/cli/console.h"
#include "client/cli/progress_bars.h"
#include "proto/base/clock.h"

namespace bitwright::client {

// Shows progress on standard error: bars redrawn in place on a terminal, else one line per change of stage; nothing
// when the console is quiet. Thread-safe.
class ProgressReporter {
 public:
  // The size of the terminal is asked for at every drawing. The console must outlive the reporter.
  ProgressReporter(Console& console, bool animate) : console_(console), animate_(animate && !console.style().quiet) {}
  ~ProgressReporter() { Finish(); }

  void Transfer(const TransferProgress& progress);
  void Job(const v1::Job& job);
  // Draws the last state and leaves it; further output may follow below. New progress begins a new block.
  void Finish();

 private:
  void Draw(bool now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::vector<ProgressBar> AllBars() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  Console& console_;
  const bool animate_;
  absl::Mutex mutex_;
  std::vector<ProgressBar> before_job_ ABSL_GUARDED_BY(mutex_);
  std::vector<ProgressBar> after_job_ ABSL_GUARDED_BY(mutex_);
  v1::Job job_ ABSL_GUARDED_BY(mutex_);
  int phase_ ABSL_GUARDED_BY(mutex_) = -1;
  int drawn_lines_ ABSL_GUARDED_BY(mutex_) = 0;
  bool dirty_ ABSL_GUARDED_BY(mutex_) = false;
  MonotonicTime drawn_at_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace bitwright::client
