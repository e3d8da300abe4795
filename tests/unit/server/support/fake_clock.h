#pragma once

#include <atomic>

#include "server/scheduler/clock.h"

namespace bitwright::testing {

// Time that passes only when told to. Thread-safe.
class FakeClock final : public Clock {
 public:
  int64_t NowMicros() const override { return now_; }
  void Advance(double seconds) { now_ += static_cast<int64_t>(seconds * kMicrosPerSecond); }

 private:
  std::atomic<int64_t> now_{1'700'000'000 * kMicrosPerSecond};
};

}  // namespace bitwright::testing
