#pragma once

#include "workers/kernels/cuda/launch.h"

namespace bitwright::worker::cuda {

// Device::Route: for each row of logits its `chosen` experts and their weights, [rows, chosen], the best first. NaN
// counts as the least of all.
cudaError_t Route(const Wide& logits, int64_t chosen, bool normalized, int32_t* experts, float* weights,
                  cudaStream_t stream);

// Device::RouteBack. Entry i adds values[i] to dlogits(rows[i], experts[i]); no place twice.
cudaError_t AddEntries(int64_t count, const int32_t* rows, const int32_t* experts, const float* values,
                       const Wide& dlogits, cudaStream_t stream);
// dlogits(r, e) −= softmax(logits row r)[e] · sums[r]
cudaError_t TakeSoftmax(const Wide& logits, const double* sums, const Wide& dlogits, cudaStream_t stream);

}  // namespace bitwright::worker::cuda
