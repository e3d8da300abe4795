#pragma once

#include <chrono>

#include "absl/status/status.h"
#include "proto/base/cancel_token.h"

namespace bitwright::client {

// Time as the client sees it; tests bring their own. Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual std::chrono::steady_clock::time_point Now() const = 0;
  // Returns early with CANCELLED, reason INTERRUPTED, when the token is cancelled.
  virtual absl::Status Sleep(std::chrono::nanoseconds time, const CancelToken& cancel) = 0;
};

// The machine's clock. Lives as long as the process.
Clock& SystemClock();

}  // namespace bitwright::client
