#pragma once

#include <cstddef>
#include <deque>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "server/observe/span.h"

namespace bitwright::server {

struct SpanQueueLimits {
  size_t most_waiting = 8192;  // some 8 MiB
  size_t most_in_batch = 512;
  absl::Duration pause = absl::Seconds(1);  // that a span waits for company at most
};

// Spans between those who make them, who never wait, and the one thread that sends them. Bounded. Thread-safe.
class SpanQueue {
 public:
  explicit SpanQueue(SpanQueueLimits limits) : limits_(limits) {}

  // False: it is full or closed, and the span is gone.
  bool Put(Span span);
  // The next batch, the oldest first: waits for a span, and then until there is a whole batch, the pause is over or the
  // queue is closed. Empty: it is closed, and nothing is left.
  std::vector<Span> TakeBatch();
  // Nothing is taken in any more, and nobody waits.
  void Close();

 private:
  bool HasSome() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return closed_ || !spans_.empty(); }
  bool HasBatch() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return closed_ || spans_.size() >= limits_.most_in_batch;
  }

  const SpanQueueLimits limits_;
  absl::Mutex mutex_;
  std::deque<Span> spans_ ABSL_GUARDED_BY(mutex_);
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace bitwright::server
