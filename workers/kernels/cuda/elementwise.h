#pragma once

#include "workers/kernels/cuda/launch.h"

// The element-wise operations of device.h, by their names there.
namespace bitwright::worker::cuda {

cudaError_t Fill(float value, const Wide& to, cudaStream_t stream);

// to += factor · from, the product rounded before it is added
cudaError_t Add(float factor, const Wide& from, const Wide& to, cudaStream_t stream);

}  // namespace bitwright::worker::cuda
