#include "workers/agent/child_slot.h"

#include <algorithm>
#include <utility>

#include "proto/base/status_macros.h"

namespace bitwright::worker {

// A child without a task is killed, not asked to leave: it holds nothing that is worth a wait. `old` is declared before
// the lock, so that its end, which waits, comes after the lock is given back.

absl::StatusOr<std::shared_ptr<ChildProcess>> ChildSlot::Acquire(const std::string& owner,
                                                                 const std::vector<std::string>& linked) {
  std::shared_ptr<ChildProcess> old;
  {
    absl::MutexLock lock(&mutex_);
    const bool let_in = std::includes(linked_.begin(), linked_.end(), linked.begin(), linked.end());
    if (child_ != nullptr && owner_ == owner && !owner.empty() && let_in) {
      busy_ = true;
      return child_;
    }
    old = std::move(child_);
    if (old != nullptr) old->Kill();
  }
  old.reset();
  ABSL_ASSIGN_OR_RETURN(std::shared_ptr<ChildProcess> child, ChildProcess::Start(options_));
  absl::MutexLock lock(&mutex_);
  child_ = child;
  owner_ = owner;
  linked_ = linked;
  busy_ = true;
  return child;
}

void ChildSlot::Release(bool healthy, MonotonicTime now) {
  std::shared_ptr<ChildProcess> old;
  absl::MutexLock lock(&mutex_);
  busy_ = false;
  last_used_ = now;
  if (healthy || child_ == nullptr) return;
  child_->Kill();  // then its end is quick
  old = std::move(child_);
}

std::string ChildSlot::owner() const {
  absl::MutexLock lock(&mutex_);
  return child_ == nullptr ? std::string() : owner_;
}

void ChildSlot::EndIfOver(const std::set<std::string>& ended_owners) {
  std::shared_ptr<ChildProcess> old;
  absl::MutexLock lock(&mutex_);
  if (child_ == nullptr || busy_ || !ended_owners.contains(owner_)) return;
  child_->Kill();
  old = std::move(child_);
}

void ChildSlot::EndIfIdle(MonotonicTime now, absl::Duration limit) {
  std::shared_ptr<ChildProcess> old;
  absl::MutexLock lock(&mutex_);
  if (child_ == nullptr || busy_ || now - last_used_ < limit) return;
  child_->Kill();
  old = std::move(child_);
}

absl::Duration ChildSlot::UntilIdle(MonotonicTime now, absl::Duration limit) const {
  absl::MutexLock lock(&mutex_);
  if (child_ == nullptr || busy_) return absl::InfiniteDuration();
  return last_used_ + limit - now;
}

void ChildSlot::End() {
  std::shared_ptr<ChildProcess> old;
  absl::MutexLock lock(&mutex_);
  busy_ = false;
  old = std::move(child_);
  if (old != nullptr) old->Kill();
}

pid_t ChildSlot::pid() const {
  absl::MutexLock lock(&mutex_);
  return child_ == nullptr ? 0 : child_->pid();
}

}  // namespace bitwright::worker
