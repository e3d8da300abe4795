#include "proto/base/cancel_token.h"

#include <utility>

#include "proto/base/base_errors.h"

namespace bitwright {

void CancelToken::Cancel() {
  absl::MutexLock lock(&mutex_);
  if (std::exchange(cancelled_, true)) return;
  for (const auto& callback : callbacks_) callback();
}

bool CancelToken::cancelled() const {
  absl::MutexLock lock(&mutex_);
  return cancelled_;
}

bool CancelToken::WaitFor(absl::Duration time) const {
  absl::MutexLock lock(&mutex_);
  return mutex_.AwaitWithTimeout(absl::Condition(&cancelled_), time);
}

absl::Status CancelToken::Check() const { return cancelled() ? InterruptedError() : absl::OkStatus(); }

CancelToken::Registration::Registration(const CancelToken& token, std::function<void()> callback) : token_(token) {
  absl::MutexLock lock(&token_.mutex_);
  entry_ = token_.callbacks_.insert(token_.callbacks_.end(), std::move(callback));
  if (token_.cancelled_) (*entry_)();
}

CancelToken::Registration::~Registration() {
  absl::MutexLock lock(&token_.mutex_);
  token_.callbacks_.erase(entry_);
}

}  // namespace bitwright
