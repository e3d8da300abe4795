#pragma once

#include <vector>

#include "absl/synchronization/mutex.h"
#include "proto/base/clock.h"

namespace bitwright {

// Time that passes only by sleeping, at once. Thread-safe.
class TestClock final : public Clock {
 public:
  absl::Time Now() const override { return absl::UnixEpoch() + slept(); }
  MonotonicTime Monotonic() const override { return MonotonicTime(slept()); }
  absl::Status Sleep(absl::Duration duration, const CancelToken& cancel) const override {
    absl::MutexLock lock(&mutex_);
    sleeps_.push_back(duration);
    return cancel.Check();
  }
  std::vector<absl::Duration> sleeps() const {
    absl::MutexLock lock(&mutex_);
    return sleeps_;
  }
  absl::Duration slept() const {
    absl::Duration sum;
    for (const absl::Duration sleep : sleeps()) sum += sleep;
    return sum;
  }

 private:
  mutable absl::Mutex mutex_;
  mutable std::vector<absl::Duration> sleeps_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace bitwright
