#include "proto/transfer/retry_policy.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <string>

#include "proto/base/errors.h"
#include "proto/base/status_macros.h"
#include "proto/contract/reasons.h"

namespace bitwright {

bool RetryPolicy::IsTransient(const absl::Status& status) const {
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:
      return true;
    case absl::StatusCode::kResourceExhausted: {
      // A queue that is full drains; a message that is too large does not get smaller.
      const std::string reason = ErrorReason(status);
      if (reason == Reason::kDiskFull) return waits_for_room;
      return reason == Reason::kLaneFull || reason == Reason::kUploadsFull;
    }
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kInternal:
    case absl::StatusCode::kUnknown:
      return transient == Transient::kBrokenCall;
    default:
      return false;
  }
}

absl::Duration RetryPolicy::Delay(int attempt, double random) const {
  return std::min(first * std::pow(growth, std::min(attempt, 64)), longest) * (1.0 - spread * random);
}

RetryLoop::RetryLoop(const RetryPolicy& policy, const Clock& clock, const CancelToken& cancel)
    : policy_(policy),
      clock_(clock),
      cancel_(cancel),
      give_up_at_(clock.Monotonic() + policy.give_up),
      random_(std::random_device{}() | 1u) {}

absl::Status RetryLoop::WaitAfter(const absl::Status& failure) {
  ABSL_RETURN_IF_ERROR(cancel_.Check());
  if (!policy_.IsTransient(failure)) return failure;
  stalled_ = policy_.attempts > 0 && attempt_ + 1 >= policy_.attempts;
  if (stalled_) return failure;
  random_ ^= random_ << 13;  // xorshift32 (Marsaglia 2003): enough to spread clients
  random_ ^= random_ >> 17;
  random_ ^= random_ << 5;
  const absl::Duration delay = policy_.Delay(attempt_++, random_ / 4294967296.0);
  if (clock_.Monotonic() + delay > give_up_at_) return failure;
  return clock_.Sleep(delay, cancel_);
}

void RetryLoop::Progressed() {
  attempt_ = 0;
  give_up_at_ = clock_.Monotonic() + policy_.give_up;
}

}  // namespace bitwright
