#pragma once

#include "workers/kernels/device.h"

namespace bitwright::worker {

// Holds a device to the reference device, operation by operation, on random input: odd shapes, parts of wider matrices,
// several windows. Each reports by EXPECT_*.
void CheckTransfers(Device& device);
void CheckProducts(Device& device);
void CheckNorms(Device& device);
void CheckRotations(Device& device);
void CheckAttention(Device& device);
void CheckActivations(Device& device);
void CheckExperts(Device& device);
void CheckLogits(Device& device);
void CheckMoments(Device& device);
void CheckRounding(Device& device);

}  // namespace bitwright::worker
