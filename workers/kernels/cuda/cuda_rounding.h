#pragma once

#include <memory>

#include "workers/kernels/cuda/cuda_memory.h"
#include "workers/kernels/rounding.h"

namespace bitwright::worker::cuda {

// The context must outlive it.
std::unique_ptr<Rounding> MakeCudaRounding(const Context& context);

}  // namespace bitwright::worker::cuda
