#include "client/api/cancel_token.h"

#include <condition_variable>
#include <mutex>
#include <set>
#include <utility>

#include "client/api/client_errors.h"

namespace bitwright {

struct CancelToken::State {
  std::mutex mutex;
  std::condition_variable changed;
  bool cancelled = false;                            // guarded by mutex
  std::set<const std::function<void()>*> callbacks;  // guarded by mutex
};

CancelToken::CancelToken() : state_(std::make_unique<State>()) {}
CancelToken::~CancelToken() = default;

void CancelToken::Cancel() {
  std::lock_guard lock(state_->mutex);
  if (std::exchange(state_->cancelled, true)) return;
  for (const auto* callback : state_->callbacks) (*callback)();
  state_->changed.notify_all();
}

bool CancelToken::cancelled() const {
  std::lock_guard lock(state_->mutex);
  return state_->cancelled;
}

bool CancelToken::WaitFor(std::chrono::nanoseconds time) const {
  std::unique_lock lock(state_->mutex);
  return state_->changed.wait_for(lock, time, [&] { return state_->cancelled; });
}

absl::Status CancelToken::Check() const { return cancelled() ? Interrupted() : absl::OkStatus(); }

CancelToken::Registration::Registration(const CancelToken& token, std::function<void()> callback)
    : token_(token), callback_(std::move(callback)) {
  std::lock_guard lock(token_.state_->mutex);
  token_.state_->callbacks.insert(&callback_);
  if (token_.state_->cancelled) callback_();
}

CancelToken::Registration::~Registration() {
  std::lock_guard lock(token_.state_->mutex);
  token_.state_->callbacks.erase(&callback_);
}

}  // namespace bitwright
