#include "workers/kernels/cuda/cuda_device.h"
#include "workers/kernels/kernels_errors.h"

// A build without CUDA.
namespace bitwright::worker {

std::vector<CudaCard> CudaCards() { return {}; }

absl::StatusOr<std::unique_ptr<Device>> MakeCudaDevice(int ordinal, ThreadPool& /*pool*/) {
  return DeviceUnavailableError("cuda:" + std::to_string(ordinal), "this build has no CUDA (BITWRIGHT_CUDA)");
}

}  // namespace bitwright::worker
