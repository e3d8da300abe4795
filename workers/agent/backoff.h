#pragma once

#include <algorithm>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace bitwright::worker {

// Pauses between attempts: 0.1 s, doubling, at most 5 s.
class Backoff {
 public:
  absl::Duration Next() {
    const absl::Duration now = next_;
    next_ = std::min(next_ * 2, absl::Seconds(5));
    return now;
  }
  void Reset() { next_ = kFirst; }

 private:
  static constexpr absl::Duration kFirst = absl::Milliseconds(100);
  absl::Duration next_ = kFirst;
};

// Errors of the connection, after which the same call may succeed.
inline bool IsTransient(const absl::Status& status) {
  return status.code() == absl::StatusCode::kUnavailable || status.code() == absl::StatusCode::kDeadlineExceeded ||
         status.code() == absl::StatusCode::kInternal || status.code() == absl::StatusCode::kUnknown;
}

}  // namespace bitwright::worker
