#pragma once

#include <string_view>
#include <vector>

#include "bitwright/v1/plans.pb.h"

namespace bitwright::server {

// What the server knows of a target without opening a tensor.
struct Target {
  std::string_view name;
  std::vector<v1::Format> formats;          // all that it knows, by (bits, group size; channel last)
  std::vector<std::string_view> consumers;  // programs that load it
};

inline constexpr std::string_view kCompressedTensors = "compressed-tensors";  // the default, and the only one
const std::vector<Target>& Targets();

}  // namespace bitwright::server
