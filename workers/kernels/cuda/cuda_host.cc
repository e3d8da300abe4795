#include "workers/kernels/cuda/cuda_host.h"

#include <cuda_runtime_api.h>
#include <dlfcn.h>

#include "workers/kernels/cuda/cuda_libraries.h"
#include "workers/kernels/kernels_errors.h"

namespace bitwright::worker {

std::string CudaCardId(int ordinal) {
  cudaDeviceProp properties;
  if (cudaGetDeviceProperties(&properties, ordinal) != cudaSuccess) return "";
  constexpr char kDigits[] = "0123456789abcdef";
  std::string id;
  for (const char byte : properties.uuid.bytes) {
    const auto value = static_cast<unsigned char>(byte);
    id += {kDigits[value >> 4], kDigits[value & 15]};
  }
  return id;
}

absl::Status LoadCudaLibraries() {
  // Never closed: CUDA's runtime loads the same one by itself, under this name.
  if (::dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL) == nullptr) {
    return DeviceUnavailableError("cuda", "there is no driver (libcuda.so.1) for NVIDIA cards here");
  }
  if (cuda::Cublas() == nullptr || cuda::Cusolver() == nullptr) {
    return DeviceUnavailableError("cuda", "cuBLAS and cuSOLVER of CUDA " + std::to_string(CUDART_VERSION / 1000) +
                                              " cannot be loaded; install them, or say where by ldconfig");
  }
  return absl::OkStatus();
}

}  // namespace bitwright::worker
