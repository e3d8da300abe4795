#include "workers/kernels/cuda/cuda_host.h"
#include "workers/kernels/kernels_errors.h"

// A build without CUDA.
namespace bitwright::worker {

std::string CudaCardId(int /*ordinal*/) { return ""; }

absl::Status LoadCudaLibraries() { return DeviceUnavailableError("cuda", "this build has no CUDA (BITWRIGHT_CUDA)"); }

}  // namespace bitwright::worker
