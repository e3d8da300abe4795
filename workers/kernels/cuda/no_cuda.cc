#include "workers/kernels/cuda/cuda_device.h"
#include "workers/kernels/kernels_errors.h"

// A build without CUDA.
namespace bitwright::worker {
namespace {

constexpr char kNoCuda[] = "this build has no CUDA (BITWRIGHT_CUDA)";

}  // namespace

std::vector<CudaCard> CudaCards() { return {}; }

absl::Status LoadCudaLibraries() { return DeviceUnavailableError("cuda", kNoCuda); }

absl::StatusOr<std::unique_ptr<Device>> MakeCudaDevice(int ordinal, ThreadPool& /*pool*/) {
  return DeviceUnavailableError(CudaName(ordinal), kNoCuda);
}

}  // namespace bitwright::worker
