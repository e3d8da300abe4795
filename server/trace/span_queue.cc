#include "server/trace/span_queue.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace bitwright::server {

bool SpanQueue::Put(Span span) {
  absl::MutexLock lock(&mutex_);
  if (closed_ || spans_.size() >= limits_.most_waiting) return false;
  spans_.push_back(std::move(span));
  return true;
}

std::vector<Span> SpanQueue::TakeBatch() {
  absl::MutexLock lock(&mutex_);
  mutex_.Await(absl::Condition(this, &SpanQueue::HasSome));
  mutex_.AwaitWithTimeout(absl::Condition(this, &SpanQueue::HasBatch), limits_.pause);
  const auto end = spans_.begin() + static_cast<ptrdiff_t>(std::min(spans_.size(), limits_.most_in_batch));
  std::vector<Span> batch(std::make_move_iterator(spans_.begin()), std::make_move_iterator(end));
  spans_.erase(spans_.begin(), end);
  return batch;
}

void SpanQueue::Close() {
  absl::MutexLock lock(&mutex_);
  closed_ = true;
}

}  // namespace bitwright::server
