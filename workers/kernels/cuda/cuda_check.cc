#include "workers/kernels/cuda/cuda_check.h"

#include <cuda_runtime_api.h>

#include <new>
#include <string>

#include "workers/kernels/device.h"

namespace bitwright::worker::cuda {

void Check(cudaError_t error, std::string_view operation) {
  if (error == cudaSuccess) return;
  if (error == cudaErrorMemoryAllocation) throw std::bad_alloc();
  int ordinal = -1;
  (void)cudaGetDevice(&ordinal);
  throw DeviceError(std::string(operation) + " failed on CUDA device " + std::to_string(ordinal) + ": " +
                    cudaGetErrorName(error) + " (" + cudaGetErrorString(error) + ")");
}

}  // namespace bitwright::worker::cuda
