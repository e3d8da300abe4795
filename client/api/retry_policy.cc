#include "client/api/retry_policy.h"

#include <algorithm>
#include <cmath>
#include <random>

#include "proto/base/status_macros.h"

namespace bitwright::client {

std::chrono::nanoseconds RetryPolicy::Delay(int attempt, double random) const {
  const double whole = static_cast<double>(first.count()) * std::pow(growth, std::min(attempt, 64));
  const double capped = std::min(whole, static_cast<double>(longest.count()));
  return std::chrono::nanoseconds(static_cast<int64_t>(capped * (1.0 - 0.5 * random) * 1e6));
}

RetryLoop::RetryLoop(const RetryPolicy& policy, Clock& clock, const CancelToken& cancel)
    : policy_(policy),
      clock_(clock),
      cancel_(cancel),
      give_up_at_(clock.Now() + policy.give_up),
      random_(std::random_device{}() | 1u) {}

absl::Status RetryLoop::WaitAfter(const absl::Status& failure) {
  ABSL_RETURN_IF_ERROR(cancel_.Check());
  if (!RetryPolicy::IsTransient(failure)) return failure;
  random_ ^= random_ << 13;  // xorshift32 (Marsaglia 2003): enough to spread clients
  random_ ^= random_ >> 17;
  random_ ^= random_ << 5;
  const auto delay = policy_.Delay(attempt_++, random_ / 4294967296.0);
  if (clock_.Now() + delay > give_up_at_) return failure;
  return clock_.Sleep(delay, cancel_);
}

void RetryLoop::Progressed() {
  attempt_ = 0;
  give_up_at_ = clock_.Now() + policy_.give_up;
}

}  // namespace bitwright::client
