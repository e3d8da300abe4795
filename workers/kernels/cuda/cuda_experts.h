#pragma once

#include <span>
#include <vector>

#include "workers/kernels/cuda/cuda_memory.h"
#include "workers/kernels/device.h"

// Device's operations of these names.
namespace bitwright::worker::cuda {

Routing RouteRows(const Context& context, const Matrix& logits, int64_t chosen, bool normalized);
void RouteRowsBack(const Context& context, const Matrix& logits, const Routing& routing, bool normalized,
                   std::span<const std::vector<float>> dweights, const Matrix& dlogits);

}  // namespace bitwright::worker::cuda
