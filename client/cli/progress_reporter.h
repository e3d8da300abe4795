#pragma once

#include <map>
#include <mutex>
#include <string>
#include <vector>

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
  void Draw(bool now);
  std::vector<ProgressBar> AllBars() const;

  Console& console_;
  const bool animate_;
  std::mutex mutex_;
  // Guarded by mutex_.
  std::vector<ProgressBar> before_job_;
  std::vector<ProgressBar> after_job_;
  v1::Job job_;
  int phase_ = -1;
  int drawn_lines_ = 0;
  bool dirty_ = false;
  MonotonicTime drawn_at_;
};

}  // namespace bitwright::client
