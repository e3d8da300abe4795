#pragma once

#include <cstddef>

#include "proto/base/recent_values.h"
#include "server/jobs/estimate.h"

namespace bitwright::server {

// The sizes of the latest kinds of jobs, since many jobs of a queue differ in nothing that their size follows from.
// Gives what SizeJob gives. Thread-safe.
class EstimateCache {
 public:
  static constexpr size_t kMostKept = 256;

  JobSize Get(const ResolvedJob& job);

 private:
  RecentValues<JobSize> sizes_{kMostKept};
};

}  // namespace bitwright::server
