#include "workers/kernels/kernels_errors.h"

#include "proto/base/errors.h"

namespace bitwright::worker {

absl::Status ComputeClassUnavailableError(std::string_view compute_class, const std::string& offered) {
  return MakeError(absl::StatusCode::kInvalidArgument, "COMPUTE_CLASS_UNAVAILABLE",
                   "compute class '" + std::string(compute_class) + "' is not available; this processor offers '" +
                       offered + "' and those below it",
                   {{"compute_class", std::string(compute_class)}});
}

absl::Status ComputeClassFixedError(std::string_view compute_class) {
  return MakeError(
      absl::StatusCode::kFailedPrecondition, "COMPUTE_CLASS_FIXED",
      "compute class '" + std::string(compute_class) +
          "' cannot be set: the instruction set of oneDNN was already fixed in this process; set it before "
          "the first kernel runs",
      {{"compute_class", std::string(compute_class)}});
}

absl::Status DeviceUnavailableError(const std::string& device, std::string_view why) {
  return MakeError(absl::StatusCode::kUnavailable, "DEVICE_UNAVAILABLE",
                   "device '" + device + "' cannot be used: " + std::string(why), {{"device", device}});
}

}  // namespace bitwright::worker
