#pragma once

#include <algorithm>
#include <array>
#include <string_view>

namespace bitwright {

// What workers compute numeric tasks on, as announcements, compute classes and jobs name it.
struct DeviceKind {
  static constexpr char kCpu[] = "cpu";    // the processor
  static constexpr char kCuda[] = "cuda";  // a graphics processor, with memory of its own
};

// What a job may ask for; kAnyDevice, or nothing, leaves it to the server.
inline constexpr char kAnyDevice[] = "any";
inline constexpr std::array<const char*, 3> kJobDevices = {DeviceKind::kCpu, DeviceKind::kCuda, kAnyDevice};

inline bool IsJobDevice(std::string_view device) {
  return device.empty() ||
         std::any_of(kJobDevices.begin(), kJobDevices.end(), [&](std::string_view one) { return one == device; });
}

// The device that a job holds out for; empty: it takes any.
inline std::string_view WantedDevice(std::string_view device) { return device == kAnyDevice ? "" : device; }

}  // namespace bitwright
