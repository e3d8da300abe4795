#pragma once

#include <cstddef>
#include <list>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace bitwright {

// Values by key, the latest used ones. Value is cheap to copy. Thread-safe.
template <typename Value>
class RecentValues {
 public:
  explicit RecentValues(size_t most_kept) : most_kept_(most_kept) {}

  // A use of it; nothing: it is not kept, or no longer.
  std::optional<Value> Find(const std::string& key) {
    absl::MutexLock lock(&mutex_);
    const auto it = by_key_.find(key);
    if (it == by_key_.end()) return std::nullopt;
    recent_.splice(recent_.begin(), recent_, it->second);
    return it->second->second;
  }

  // Where there is one of that key already, that stays. The one that was not used for longest may go.
  void Keep(const std::string& key, Value value) {
    absl::MutexLock lock(&mutex_);
    if (by_key_.contains(key)) return;
    recent_.emplace_front(key, std::move(value));
    by_key_[key] = recent_.begin();
    if (recent_.size() <= most_kept_) return;
    by_key_.erase(recent_.back().first);
    recent_.pop_back();
  }

 private:
  using Entry = std::pair<std::string, Value>;

  const size_t most_kept_;
  absl::Mutex mutex_;
  std::list<Entry> recent_ ABSL_GUARDED_BY(mutex_);  // latest first
  std::unordered_map<std::string, typename std::list<Entry>::iterator> by_key_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace bitwright
