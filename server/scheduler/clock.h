#pragma once

#include <cstdint>

namespace bitwright {

inline constexpr int64_t kMicrosPerSecond = 1000000;

// Time for leases, back-off and collection. Tests set their own. Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual int64_t NowMicros() const = 0;  // since 1970-01-01 UTC
};

// The machine's clock.
class SystemClock final : public Clock {
 public:
  int64_t NowMicros() const override;
};

}  // namespace bitwright
