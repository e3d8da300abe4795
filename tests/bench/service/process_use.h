#pragma once

#include <sys/types.h>

#include <cstdint>

#include "proto/base/clock.h"

namespace bitwright::server {

double CpuSeconds(pid_t process);      // of all its threads, in user and kernel mode; 0 when it is gone
int64_t ResidentBytes(pid_t process);  // 0 when it is gone

// The share of one core that a process takes from the construction on: 1 is a whole core, 2 two of them.
class CpuShare {
 public:
  explicit CpuShare(pid_t process);
  double Take() const;

 private:
  pid_t process_;
  SystemClock clock_;
  MonotonicTime start_;
  double before_;
};

}  // namespace bitwright::server
