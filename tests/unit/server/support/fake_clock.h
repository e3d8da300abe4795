#pragma once

#include "absl/synchronization/mutex.h"
#include "proto/base/clock.h"

namespace bitwright::server {

// Time that passes only when told to, on both clocks alike. Thread-safe.
class FakeClock final : public Clock {
 public:
  absl::Time Now() const override { return kStart + passed(); }
  MonotonicTime Monotonic() const override { return MonotonicTime(absl::Hours(1) + passed()); }
  absl::Status Sleep(absl::Duration duration, const CancelToken& cancel) const override {
    AdvanceBy(duration);
    return cancel.Check();
  }
  void Advance(double seconds) { AdvanceBy(absl::Seconds(seconds)); }

 private:
  inline static const absl::Time kStart = absl::FromUnixSeconds(1'700'000'000);

  absl::Duration passed() const {
    absl::MutexLock lock(&mutex_);
    return passed_;
  }
  void AdvanceBy(absl::Duration duration) const {
    absl::MutexLock lock(&mutex_);
    passed_ += duration;
  }

  mutable absl::Mutex mutex_;
  mutable absl::Duration passed_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace bitwright::server
