#pragma once

#include "workers/kernels/cuda/launch.h"

namespace bitwright::worker::cuda {

// Device::Rotate: cos and sin [window, rotary / 2].
cudaError_t Rotate(const Wide& cos, const Wide& sin, int64_t rotary, bool interleaved, bool backwards,
                   const HeadRows& x, cudaStream_t stream);

}  // namespace bitwright::worker::cuda
