#include "proto/base/clock.h"

#include <chrono>

#include "absl/time/clock.h"

namespace bitwright {

absl::Time SystemClock::Now() const { return absl::Now(); }

MonotonicTime SystemClock::Monotonic() const {
  return MonotonicTime(absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch()));
}

absl::Status SystemClock::Sleep(absl::Duration duration, const CancelToken& cancel) const {
  cancel.WaitFor(duration);
  return cancel.Check();
}

}  // namespace bitwright
