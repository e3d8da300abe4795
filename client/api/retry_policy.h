#pragma once

#include <chrono>
#include <cstdint>

#include "absl/status/status.h"
#include "client/api/clock.h"
#include "proto/base/cancel_token.h"

namespace bitwright::client {

// When a call is tried again, as a value: exponential back-off up to `longest`, each delay shortened by up to half at
// random so that clients do not return all at once, until `give_up` has passed without progress.
struct RetryPolicy {
  std::chrono::milliseconds first{50};
  double growth = 2.0;
  std::chrono::milliseconds longest{5000};
  std::chrono::milliseconds give_up{120000};

  // Only UNAVAILABLE says that the same call may succeed later.
  static bool IsTransient(const absl::Status& status) { return absl::IsUnavailable(status); }
  // Delay before attempt + 1; attempt counts failures from 0, `random` is in [0, 1).
  std::chrono::nanoseconds Delay(int attempt, double random) const;
};

// The attempts of one call. Not thread-safe.
//   for (RetryLoop retry(policy, clock, cancel);;) {
//     const absl::Status status = Attempt();
//     if (status.ok()) return status;
//     ABSL_RETURN_IF_ERROR(retry.WaitAfter(status));
//   }
class RetryLoop {
 public:
  // clock and cancel must outlive the loop.
  RetryLoop(const RetryPolicy& policy, Clock& clock, const CancelToken& cancel);
  // OK after the delay when the call should be tried again; else the error to give to the caller.
  absl::Status WaitAfter(const absl::Status& failure);
  // The last attempt got further than the one before: the back-off starts again.
  void Progressed();

 private:
  const RetryPolicy policy_;
  Clock& clock_;
  const CancelToken& cancel_;
  std::chrono::steady_clock::time_point give_up_at_;
  int attempt_ = 0;
  uint32_t random_;
};

}  // namespace bitwright::client
