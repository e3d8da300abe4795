#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "proto/base/clock.h"
#include "server/blobs/blobs.h"
#include "server/blobs/held_blobs.h"
#include "server/observe/metrics.h"
#include "server/store/store.h"

namespace bitwright::server {

struct CollectorOptions {
  absl::Duration grace = absl::Hours(1);             // an unused blob or upload stays at least this long
  int64_t cache_bytes = int64_t{20} << 30;           // of blobs that only the action cache names
  absl::Duration request_memory = absl::Hours(168);  // how long a request_id is remembered
};

// Removes blobs that nothing names any more: what no model, job, unfinished task or action-cache entry names; and of
// the action cache's own the least recently used beyond its budget. Also broken-off uploads and old request_ids. What
// was used within the grace period stays: a tenant holds what it brought for that long, and beyond it what its models
// and jobs name. Thread-safe.
class Collector {
 public:
  Collector(Store& store, BlobStore& blobs, HeldBlobs& held, const Clock& clock, Metrics& metrics,
            CollectorOptions options)
      : store_(store), blobs_(blobs), held_(held), clock_(clock), metrics_(metrics), options_(options) {}

  absl::Status Run();
  // Sets the gauges of blobs and jobs.
  absl::Status Measure();

 private:
  absl::Status DropHoldings(absl::Time cutoff);
  absl::Status RemoveGarbage(absl::Time cutoff);
  absl::Status ShrinkCache(absl::Time cutoff);

  Store& store_;
  BlobStore& blobs_;
  HeldBlobs& held_;
  const Clock& clock_;
  Metrics& metrics_;
  const CollectorOptions options_;
};

}  // namespace bitwright::server
