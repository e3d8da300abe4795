#pragma once

#include "server/scheduler/fleet.h"

namespace bitwright::server {

// How fast tasks run: measured on those that finished, assumed before. For estimates.
class Speed {
 public:
  // Small tasks, which say more about start-up than about speed, do not count.
  void Measure(double flops, double seconds);
  double FlopsPerSecond(const Fleet& fleet) const;

 private:
  double flops_ = 0;
  double seconds_ = 0;
};

}  // namespace bitwright::server
