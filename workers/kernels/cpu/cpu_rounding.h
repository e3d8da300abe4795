#pragma once

#include <memory>

#include "workers/base/thread_pool.h"
#include "workers/kernels/rounding.h"

namespace bitwright::worker {

// On memory of a CPU device, on the threads of a pool, which must outlive it. Rows are rounded 64 side by side
// (row_lanes.h); a thread takes 13 bytes for each of these and column.
std::unique_ptr<Rounding> MakeCpuRounding(ThreadPool& pool);

}  // namespace bitwright::worker
