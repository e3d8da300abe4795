#include "workers/agent/compute_class.h"

#include <algorithm>
#include <array>

#include "workers/agent/agent_errors.h"

namespace bitwright {
namespace {

constexpr std::array<std::string_view, 4> kClasses = {"cpu-x86-64-v2", "cpu-avx2", "cpu-avx512", "cpu-avx512-bf16"};

}  // namespace

absl::StatusOr<std::string> ChooseComputeClass(std::string_view detected, std::string_view requested) {
  if (requested.empty()) return std::string(detected);
  const auto wanted = std::find(kClasses.begin(), kClasses.end(), requested);
  if (wanted == kClasses.end()) return ComputeClassUnknown(requested);
  if (wanted > std::find(kClasses.begin(), kClasses.end(), detected)) {
    return ComputeClassUnavailable(requested, detected);
  }
  return std::string(requested);
}

}  // namespace bitwright
