#pragma once

#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "client/cli/console.h"
#include "client/cli/progress_bars.h"
#include "proto/base/clock.h"

namespace bitwright::client {

// Shows progress on standard error: bars redrawn in place on a terminal; otherwise a line for each change of stage, and
// one at least every 10 s while something goes on. Nothing when the console is quiet, but for warnings. Thread-safe.
class ProgressReporter {
 public:
  // The size of the terminal is asked for at every drawing. Console and clock must outlive the reporter.
  ProgressReporter(Console& console, bool animate, const Clock& clock);
  ~ProgressReporter() { Finish(); }

  void Transfer(const TransferProgress& progress);
  void Job(const v1::Job& job);
  // Something that a person should know. Said once in the life of the reporter; on a terminal after the bars.
  void Warn(const std::string& text);
  // Draws the last state and leaves it; further output may follow below. New progress begins a new block.
  void Finish();
  // Speaks up when nothing was said for long. A thread calls this every second between the first progress and Finish.
  void Tick();

 private:
  void Begin() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Run();
  void Say(const std::string& line) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void SayWaiting(const std::string& waiting) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::string StateLine() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Draw(bool now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::vector<ProgressBar> AllBars() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  Console& console_;
  const bool animate_;
  const Clock& clock_;
  absl::Mutex mutex_;
  std::vector<ProgressBar> before_job_ ABSL_GUARDED_BY(mutex_);
  std::vector<ProgressBar> after_job_ ABSL_GUARDED_BY(mutex_);
  TransferProgress transfer_ ABSL_GUARDED_BY(mutex_);
  v1::Job job_ ABSL_GUARDED_BY(mutex_);
  std::string waiting_ ABSL_GUARDED_BY(mutex_);  // said last
  std::vector<std::string> warned_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::string> to_warn_ ABSL_GUARDED_BY(mutex_);
  int phase_ ABSL_GUARDED_BY(mutex_) = -1;
  int drawn_lines_ ABSL_GUARDED_BY(mutex_) = 0;
  bool dirty_ ABSL_GUARDED_BY(mutex_) = false;
  MonotonicTime drawn_at_ ABSL_GUARDED_BY(mutex_);
  MonotonicTime said_at_ ABSL_GUARDED_BY(mutex_);
  bool stop_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread ticker_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace bitwright::client
