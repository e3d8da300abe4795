#include "server/rpc/lane.h"

#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "proto/base/work_threads.h"
#include "server/rpc/rpc_errors.h"

namespace bitwright::server {

struct Lane::State {
  State(const LaneLimits& l, Metrics& m)
      : limits(l),
        metrics(m),
        show_depth(m.LaneDepth(l.name)),
        threads(std::make_unique<WorkThreads>(l.threads, l.nice)) {}

  const LaneLimits limits;
  Metrics& metrics;
  const std::function<void(int64_t)> show_depth;
  absl::Mutex mutex;
  int waiting ABSL_GUARDED_BY(mutex) = 0;
  int streams ABSL_GUARDED_BY(mutex) = 0;
  // Last: what they still run uses all of the above.
  std::unique_ptr<WorkThreads> threads;

  void Count(int change) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    waiting += change;
    show_depth(waiting);
  }

  void Push(std::function<void()> step) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    Count(1);
    threads->Post([this, step = std::move(step)] {
      {
        absl::MutexLock lock(&mutex);
        Count(-1);
      }
      step();
    });
  }

  absl::Status Refuse(std::string_view what, int limit) {
    metrics.LaneRefused(limits.name);
    return LaneFullError(limits.name, what, limit);
  }
};

Lane::Lane(const LaneLimits& limits, Metrics& metrics) : state_(std::make_unique<State>(limits, metrics)) {
  state_->show_depth(0);
}

Lane::~Lane() = default;

absl::Status Lane::Admit(std::function<void()> step) {
  {
    absl::MutexLock lock(&state_->mutex);
    if (state_->waiting < state_->limits.most_waiting) {
      state_->Push(std::move(step));
      return absl::OkStatus();
    }
  }
  return state_->Refuse("waiting calls", state_->limits.most_waiting);
}

void Lane::Post(std::function<void()> step) {
  absl::MutexLock lock(&state_->mutex);
  state_->Push(std::move(step));
}

absl::Status Lane::OpenStream() {
  {
    absl::MutexLock lock(&state_->mutex);
    if (state_->streams < state_->limits.most_streams) {
      ++state_->streams;
      return absl::OkStatus();
    }
  }
  return state_->Refuse("open streams", state_->limits.most_streams);
}

void Lane::CloseStream() {
  absl::MutexLock lock(&state_->mutex);
  --state_->streams;
}

}  // namespace bitwright::server
