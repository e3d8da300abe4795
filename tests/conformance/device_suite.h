#pragma once

#include <functional>
#include <ostream>
#include <string>
#include <vector>

#include "workers/kernels/device.h"

namespace bitwright::worker {

// Holds a device to the reference device, operation by operation, on random input: odd shapes, parts of wider matrices,
// several windows. Each reports by EXPECT_*.
struct DeviceCheck {
  std::string name;  // of a test
  std::function<void(Device&)> run;

  friend void PrintTo(const DeviceCheck& check, std::ostream* out) { *out << check.name; }
};
// `below`: by what part sweeps may leave less loss than the reference's; never more than one part in a hundred above
// it.
std::vector<DeviceCheck> DeviceChecks(double below = 0.01);
std::vector<DeviceCheck> ShapeChecks();                 // those of large shapes, which are among them
std::vector<DeviceCheck> RoundingChecks(double below);  // those of Device::rounding, which are among them

}  // namespace bitwright::worker
