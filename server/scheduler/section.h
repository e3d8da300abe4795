#pragma once

#include "server/scheduler/scheduler.h"

namespace bitwright::server {

// Holds the scheduler's lock; when it goes, releases the lock and then runs what was put into after_.
class ABSL_SCOPED_LOCKABLE Scheduler::Section {
 public:
  explicit Section(Scheduler& scheduler) ABSL_EXCLUSIVE_LOCK_FUNCTION(scheduler.mutex_) : scheduler_(scheduler) {
    scheduler_.mutex_.Lock();
  }
  ~Section() ABSL_UNLOCK_FUNCTION() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    std::vector<std::function<void()>> after;
    after.swap(scheduler_.after_);
    scheduler_.mutex_.Unlock();
    for (const auto& call : after) call();
  }
  Section(const Section&) = delete;
  Section& operator=(const Section&) = delete;

 private:
  Scheduler& scheduler_;
};

}  // namespace bitwright::server
