#pragma once

#include <functional>
#include <list>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace bitwright {

// Tells calls and waits to end, once and for good. Thread-safe; not for signal handlers (a thread that waits for
// signals calls Cancel).
class CancelToken {
 public:
  CancelToken() = default;
  CancelToken(const CancelToken&) = delete;
  CancelToken& operator=(const CancelToken&) = delete;

  void Cancel();
  bool cancelled() const;
  // Waits until cancelled or until the time is over. True: cancelled.
  bool WaitFor(absl::Duration time) const;
  // CANCELLED, reason INTERRUPTED, once cancelled; else OK.
  absl::Status Check() const;

  // Calls `callback` once when Cancel is called, at once when that was before, on the thread that cancels. It runs no
  // more when the destructor returns, and must not touch the token.
  class Registration {
   public:
    Registration(const CancelToken& token, std::function<void()> callback);
    ~Registration();
    Registration(const Registration&) = delete;
    Registration& operator=(const Registration&) = delete;

   private:
    const CancelToken& token_;
    std::list<std::function<void()>>::iterator entry_;
  };

 private:
  mutable absl::Mutex mutex_;
  bool cancelled_ ABSL_GUARDED_BY(mutex_) = false;
  mutable std::list<std::function<void()>> callbacks_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace bitwright
