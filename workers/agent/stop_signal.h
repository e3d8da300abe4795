#pragma once

#include <functional>
#include <list>

#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace bitwright::worker {

// Tells several waits at once to end. Set once, never cleared. Thread-safe.
class StopSignal {
 public:
  void Stop();
  bool stopped() const;
  // Waits at most so long; true as soon as stopped.
  bool WaitFor(absl::Duration duration) const;

  // Calls `action` once when the signal is set (at once when it already is), as long as the hook lives. The action runs
  // on the stopping thread and must not touch the signal; it is never running any more when the destructor returns.
  class Hook {
   public:
    Hook(StopSignal& signal, std::function<void()> action);
    ~Hook();
    Hook(const Hook&) = delete;
    Hook& operator=(const Hook&) = delete;

   private:
    StopSignal& signal_;
    std::list<std::function<void()>>::iterator entry_;
  };

 private:
  mutable absl::Mutex mutex_;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  std::list<std::function<void()>> actions_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace bitwright::worker
