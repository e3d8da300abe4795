#pragma once

#include <list>
#include <string>
#include <unordered_map>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "server/jobs/estimate.h"

namespace bitwright::server {

// The sizes of the latest kinds of jobs, since many jobs of a queue differ in nothing that their size follows from.
// Gives what SizeJob gives. Thread-safe.
class EstimateCache {
 public:
  static constexpr size_t kMostKept = 256;

  JobSize Get(const ResolvedJob& job);

 private:
  using Entry = std::pair<std::string, JobSize>;

  absl::Mutex mutex_;
  std::list<Entry> recent_ ABSL_GUARDED_BY(mutex_);  // latest first
  std::unordered_map<std::string, std::list<Entry>::iterator> by_key_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace bitwright::server
