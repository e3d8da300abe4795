#include "workers/agent/stop_signal.h"

#include <utility>

namespace bitwright::worker {

void StopSignal::Stop() {
  absl::MutexLock lock(&mutex_);
  if (std::exchange(stopped_, true)) return;
  for (const auto& action : actions_) action();
}

bool StopSignal::stopped() const {
  absl::MutexLock lock(&mutex_);
  return stopped_;
}

bool StopSignal::WaitFor(absl::Duration duration) const {
  absl::MutexLock lock(&mutex_);
  return mutex_.AwaitWithTimeout(absl::Condition(&stopped_), duration);
}

StopSignal::Hook::Hook(StopSignal& signal, std::function<void()> action) : signal_(signal) {
  absl::MutexLock lock(&signal_.mutex_);
  entry_ = signal_.actions_.insert(signal_.actions_.end(), std::move(action));
  if (signal_.stopped_) (*entry_)();
}

StopSignal::Hook::~Hook() {
  absl::MutexLock lock(&signal_.mutex_);
  signal_.actions_.erase(entry_);
}

}  // namespace bitwright::worker
