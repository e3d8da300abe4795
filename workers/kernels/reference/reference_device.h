#pragma once

#include <memory>

#include "workers/kernels/device.h"

namespace bitwright::worker {

// Plain loops with f64 sums on one thread: what every other device is held to. Memory is f32 as everywhere.
std::unique_ptr<Device> MakeReferenceDevice();

}  // namespace bitwright::worker
