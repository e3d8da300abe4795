#pragma once

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "proto/base/cancel_token.h"

namespace bitwright {

// A point on the monotonic clock, which no one sets: leases, back-off and every wait count on it. Of no meaning to
// another process or after a restart, so it is never part of a row or a message.
class MonotonicTime {
 public:
  constexpr MonotonicTime() = default;  // the clock's origin, before any moment that Clock tells
  constexpr explicit MonotonicTime(absl::Duration since_origin) : since_origin_(since_origin) {}
  static constexpr MonotonicTime InfiniteFuture() { return MonotonicTime(absl::InfiniteDuration()); }

  friend MonotonicTime operator+(MonotonicTime time, absl::Duration duration) {
    return MonotonicTime(time.since_origin_ + duration);
  }
  friend MonotonicTime operator-(MonotonicTime time, absl::Duration duration) {
    return MonotonicTime(time.since_origin_ - duration);
  }
  friend absl::Duration operator-(MonotonicTime a, MonotonicTime b) { return a.since_origin_ - b.since_origin_; }
  friend bool operator==(MonotonicTime a, MonotonicTime b) { return a.since_origin_ == b.since_origin_; }
  friend bool operator<(MonotonicTime a, MonotonicTime b) { return a.since_origin_ < b.since_origin_; }
  friend bool operator>(MonotonicTime a, MonotonicTime b) { return b < a; }
  friend bool operator<=(MonotonicTime a, MonotonicTime b) { return !(b < a); }
  friend bool operator>=(MonotonicTime a, MonotonicTime b) { return !(a < b); }

 private:
  absl::Duration since_origin_;
};

// Time, as everything that waits or writes it down is given it; tests bring their own. Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  // The time of day, for rows, messages and people. It may jump.
  virtual absl::Time Now() const = 0;
  virtual MonotonicTime Monotonic() const = 0;
  // Returns early with CANCELLED, reason INTERRUPTED, when the token is cancelled.
  virtual absl::Status Sleep(absl::Duration duration, const CancelToken& cancel) const = 0;
};

// The machine's clocks.
class SystemClock final : public Clock {
 public:
  absl::Time Now() const override;
  MonotonicTime Monotonic() const override;
  absl::Status Sleep(absl::Duration duration, const CancelToken& cancel) const override;
};

}  // namespace bitwright
