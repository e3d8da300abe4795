#include "server/rpc/lane.h"

#include <deque>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "server/rpc/rpc_errors.h"

namespace bitwright::server {

struct Lane::State {
  State(const LaneLimits& l, Metrics& m) : limits(l), metrics(m), show_depth(m.LaneDepth(l.name)) {}

  const LaneLimits limits;
  Metrics& metrics;
  const std::function<void(int64_t)> show_depth;
  absl::Mutex mutex;
  std::deque<std::function<void()>> steps ABSL_GUARDED_BY(mutex);
  int streams ABSL_GUARDED_BY(mutex) = 0;
  bool stopping ABSL_GUARDED_BY(mutex) = false;
  std::vector<std::thread> threads;

  bool Runnable() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) { return stopping || !steps.empty(); }

  void Push(std::function<void()> step) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    steps.push_back(std::move(step));
    show_depth(static_cast<int64_t>(steps.size()));
  }

  void Run() {
    while (true) {
      std::function<void()> step;
      {
        absl::MutexLock lock(&mutex);
        mutex.Await(absl::Condition(this, &State::Runnable));
        if (steps.empty()) return;
        step = std::move(steps.front());
        steps.pop_front();
        show_depth(static_cast<int64_t>(steps.size()));
      }
      step();
    }
  }

  absl::Status Refuse(std::string_view what, int limit) {
    metrics.LaneRefused(limits.name);
    return LaneFullError(limits.name, what, limit);
  }
};

Lane::Lane(const LaneLimits& limits, Metrics& metrics) : state_(std::make_unique<State>(limits, metrics)) {
  state_->show_depth(0);
  for (int i = 0; i < limits.threads; ++i) {
    state_->threads.emplace_back([state = state_.get()] { state->Run(); });
  }
}

Lane::~Lane() {
  {
    absl::MutexLock lock(&state_->mutex);
    state_->stopping = true;
  }
  for (std::thread& thread : state_->threads) thread.join();
}

absl::Status Lane::Admit(std::function<void()> step) {
  {
    absl::MutexLock lock(&state_->mutex);
    if (static_cast<int>(state_->steps.size()) < state_->limits.most_waiting) {
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
