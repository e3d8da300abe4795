#pragma once

#include <map>
#include <string>
#include <string_view>

#include "server/scheduler/fleet.h"

namespace bitwright::server {

// How fast tasks run on each kind of device: measured on those that finished, assumed before. For estimates.
class Speed {
 public:
  // Small tasks, which say more about start-up than about speed, do not count.
  void Measure(std::string_view device, const std::string& kind, double flops, double seconds);
  // Of one worker of that device; empty: of the one that a job without a wish goes to, which is the fastest there is.
  double FlopsPerSecond(const Fleet& fleet, std::string_view device) const;

  bool measured(std::string_view device) const;
  // Of so many operations of one kind, at its speed or else at that of all. Precondition: measured(device).
  double Seconds(std::string_view device, const std::string& kind, double flops) const;

 private:
  struct Sum {
    double flops = 0;
    double seconds = 0;
  };
  struct OfDevice {
    Sum all;
    std::map<std::string, Sum> by_kind;
  };
  std::map<std::string, OfDevice, std::less<>> devices_;
};

}  // namespace bitwright::server
