#pragma once

#include <string_view>

namespace bitwright {

// A compute class is named "DEVICE-INSTRUCTIONS": "cpu-avx2" is one of device "cpu", which has no '-' in it.
inline std::string_view DeviceOfClass(std::string_view compute_class) {
  return compute_class.substr(0, compute_class.find('-'));
}

}  // namespace bitwright
