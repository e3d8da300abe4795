#pragma once

#include <memory>

#include "workers/base/thread_pool.h"
#include "workers/kernels/device.h"

namespace bitwright::worker {

// The processor: products by oneDNN, the rest by the loops of elementwise.h, on the threads of a pool, which must
// outlive the device. In the compute class in force.
std::unique_ptr<Device> MakeCpuDevice(ThreadPool& pool);

}  // namespace bitwright::worker
