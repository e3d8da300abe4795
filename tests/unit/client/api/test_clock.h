#pragma once

#include <mutex>
#include <vector>

#include "client/api/clock.h"

namespace bitwright::client {

// Time that passes only by sleeping, at once.
class TestClock final : public Clock {
 public:
  std::chrono::steady_clock::time_point Now() const override {
    std::lock_guard lock(mutex_);
    return now_;
  }
  absl::Status Sleep(std::chrono::nanoseconds time, const CancelToken& cancel) override {
    std::lock_guard lock(mutex_);
    now_ += time;
    sleeps_.push_back(time);
    return cancel.Check();
  }
  std::vector<std::chrono::nanoseconds> sleeps() const {
    std::lock_guard lock(mutex_);
    return sleeps_;
  }

 private:
  mutable std::mutex mutex_;
  std::chrono::steady_clock::time_point now_{};
  std::vector<std::chrono::nanoseconds> sleeps_;
};

}  // namespace bitwright::client
