#pragma once

#include <cstdint>
#include <memory>

#include "absl/time/time.h"
#include "proto/base/cancel_token.h"
#include "proto/base/clock.h"
#include "proto/transfer/retry_policy.h"

namespace grpc {
class Channel;
}

namespace bitwright {

// How patient transfers are, as a value.
struct TransferPolicy {
  RetryPolicy retry;
  // A stream that a lost peer silently ended is noticed after this; the transfer then goes on where it was.
  absl::Duration stream_limit;
  int64_t stream_bytes_per_second = 0;  // the slowest link for which a stream gets more time; 0: none

  absl::Duration StreamLimit(int64_t bytes) const {
    return stream_bytes_per_second == 0 ? stream_limit : stream_limit + absl::Seconds(bytes / stream_bytes_per_second);
  }
};

inline constexpr TransferPolicy kClientTransfers{kClientRetries, absl::Minutes(10)};
inline constexpr TransferPolicy kWorkerTransfers{kWorkerRetries, absl::Minutes(1), 256'000};

// What every transfer needs. Clock and token must outlive the transfers.
struct TransferContext {
  std::shared_ptr<grpc::Channel> channel;
  const Clock& clock;
  const CancelToken& cancel;
  TransferPolicy policy;

  RetryLoop Retry() const { return RetryLoop(policy.retry, clock, cancel); }
};

}  // namespace bitwright
