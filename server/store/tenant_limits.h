#pragma once

#include <cstdint>

namespace bitwright::server {

// What a tenant may have at once. 0: any number.
struct TenantLimits {
  int64_t bytes = 0;         // of the blobs that it holds, each counted once for it
  int64_t queued_jobs = 0;   // in state QUEUED
  int64_t running_jobs = 0;  // in state RUNNING

  friend bool operator==(const TenantLimits&, const TenantLimits&) = default;
};

// What it has of that.
struct TenantUsage {
  int64_t bytes = 0;
  int64_t queued_jobs = 0;
  int64_t running_jobs = 0;

  friend bool operator==(const TenantUsage&, const TenantUsage&) = default;
};

}  // namespace bitwright::server
