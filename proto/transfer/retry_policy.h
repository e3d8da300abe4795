#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "proto/base/cancel_token.h"
#include "proto/base/clock.h"

namespace bitwright {

// When a call is tried again, as a value: exponential back-off up to `longest`, until `give_up` has passed or
// `attempts` have failed without progress.
struct RetryPolicy {
  // Which errors say that the same call may succeed later.
  enum class Transient {
    kUnavailable,  // UNAVAILABLE, and RESOURCE_EXHAUSTED where a queue was full: what a server says when it means it
    kBrokenCall,   // also DEADLINE_EXCEEDED, INTERNAL and UNKNOWN, with which gRPC reports trouble of its own
  };

  absl::Duration first = absl::Milliseconds(50);
  double growth = 2.0;
  absl::Duration longest = absl::Seconds(5);
  double spread =
      0.5;  // up to this part of each delay is left out at random, so that callers do not return all at once
  absl::Duration give_up = absl::Minutes(2);
  int attempts = 0;  // 0: any number
  Transient transient = Transient::kUnavailable;
  bool waits_for_room = false;  // a full disk (reason DISK_FULL) is passing trouble, too: somebody makes room

  bool IsTransient(const absl::Status& status) const;
  // Delay before attempt + 1; attempt counts failures from 0, `random` is in [0, 1).
  absl::Duration Delay(int attempt, double random) const;
};

// A person waits for the client: it gives up after two minutes.
inline constexpr RetryPolicy kClientRetries{};
// A worker is alone and has a lease to lose: it counts attempts, and takes any broken call for passing trouble.
inline constexpr RetryPolicy kWorkerRetries{.first = absl::Milliseconds(100),
                                            .spread = 0,
                                            .give_up = absl::InfiniteDuration(),
                                            .attempts = 8,
                                            .transient = RetryPolicy::Transient::kBrokenCall};

// The attempts of one call. Not thread-safe.
//   for (RetryLoop retry(policy, clock, cancel);;) {
//     const absl::Status status = Attempt();
//     if (status.ok()) return status;
//     ABSL_RETURN_IF_ERROR(retry.WaitAfter(status));
//   }
class RetryLoop {
 public:
  // clock and cancel must outlive the loop.
  RetryLoop(const RetryPolicy& policy, const Clock& clock, const CancelToken& cancel);
  // OK after the delay when the call should be tried again; else the error to give to the caller: `failure`, or
  // CANCELLED, reason INTERRUPTED.
  absl::Status WaitAfter(const absl::Status& failure);
  // The last attempt got further than the one before: the back-off starts again.
  void Progressed();
  // Whether WaitAfter refused an attempt because policy.attempts of them had failed.
  bool stalled() const { return stalled_; }

 private:
  const RetryPolicy policy_;
  const Clock& clock_;
  const CancelToken& cancel_;
  MonotonicTime give_up_at_;
  int attempt_ = 0;
  bool stalled_ = false;
  uint32_t random_;
};

}  // namespace bitwright
