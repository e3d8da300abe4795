#pragma once

#include <map>
#include <string>

#include "server/scheduler/fleet.h"

namespace bitwright::server {

// How fast tasks run: measured on those that finished, assumed before. For estimates.
class Speed {
 public:
  // Small tasks, which say more about start-up than about speed, do not count.
  void Measure(const std::string& kind, double flops, double seconds);
  double FlopsPerSecond(const Fleet& fleet) const;

  bool measured() const { return all_.seconds > 0; }
  // Of so many operations of one kind, at its speed or else at that of all. Precondition: measured().
  double Seconds(const std::string& kind, double flops) const;

 private:
  struct Sum {
    double flops = 0;
    double seconds = 0;
  };
  Sum all_;
  std::map<std::string, Sum> by_kind_;
};

}  // namespace bitwright::server
