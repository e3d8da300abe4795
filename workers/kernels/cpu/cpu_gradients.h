#pragma once

#include <span>
#include <vector>

#include "workers/base/thread_pool.h"
#include "workers/kernels/device.h"

// Parts of the backward operations of the processor's device. Sums are f64.
namespace bitwright::worker {

float Dot(const float* a, const float* b, int64_t n);

// Device::NormBack.
void CpuNormBack(const Heads& x, const NormParts& parts, const Heads& dy, const Heads& dx,
                 const NormGradients& gradients, ThreadPool& pool);

// Device::RouteBack.
void CpuRouteBack(const Matrix& logits, const Routing& routing, bool normalized,
                  std::span<const std::vector<float>> dweights, const Matrix& dlogits);

// Device::Sample and Device::LossBack of one row.
int32_t SampleLabel(const float* logits, int64_t n, double uniform);
double LossGradient(float* logits, int64_t n, int32_t label);

}  // namespace bitwright::worker
