#pragma once

#include "workers/kernels/cuda/launch.h"

// The operations of device.h on chosen rows and on gates, by their names there. Arrays lie in device memory.
namespace bitwright::worker::cuda {

cudaError_t GatherRows(const Wide& from, const int32_t* rows, const Wide& to, cudaStream_t stream);
cudaError_t AddRows(const Wide& from, const int32_t* rows, const float* weights, const Wide& to, cudaStream_t stream);
cudaError_t ScaleRows(const float* factors, const Wide& x, cudaStream_t stream);
cudaError_t DotRows(const Wide& a, const Wide& b, const int32_t* rows, float* results, cudaStream_t stream);
cudaError_t AddGated(float factor, const Wide& gate, const Wide& from, const Wide& to, cudaStream_t stream);
cudaError_t AddGatedBack(float factor, const Wide& gate, const Wide& from, const Wide& dto, const Wide& dgate,
                         const Wide& dfrom, cudaStream_t stream);

}  // namespace bitwright::worker::cuda
