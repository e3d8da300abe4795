#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace bitwright::server {

// The values of a label that workers or tasks bring: no matter what they send, their number stays bounded. Thread-safe.
class BoundedLabel {
 public:
  explicit BoundedLabel(size_t most) : most_(most) {}

  // The value, or "other": for what is empty, longer than 64 bytes, made of more than letters, digits, '_', '.' and
  // '-', or new when `most` different ones were let through.
  std::string Bound(std::string_view value);

 private:
  const size_t most_;
  absl::Mutex mutex_;
  std::set<std::string, std::less<>> known_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace bitwright::server
