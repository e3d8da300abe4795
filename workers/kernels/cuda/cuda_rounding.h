#pragma once

#include <memory>

#include "workers/base/thread_pool.h"
#include "workers/kernels/cuda/cuda_memory.h"
#include "workers/kernels/rounding.h"

namespace bitwright::worker::cuda {

// Both must outlive it.
std::unique_ptr<Rounding> MakeCudaRounding(const Context& context, ThreadPool& pool);

}  // namespace bitwright::worker::cuda
