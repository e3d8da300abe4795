#pragma once

#include "workers/kernels/cuda/launch.h"

// The operations of device.h on rows of logits: a block for each row, exponentials and sums in f64. Arrays lie in
// device memory.
namespace bitwright::worker::cuda {

// As TokenComparison of device.h, with the most likely token of each.
struct RowComparison {
  double nll_base = 0, nll_other = 0, kl = 0, p_delta = 0;
  int32_t top_base = 0, top_other = 0;
};
cudaError_t Compare(const Wide& base, const Wide& other, const int32_t* targets, RowComparison* results,
                    cudaStream_t stream);

cudaError_t Sample(const Wide& logits, const double* uniforms, int32_t* labels, cudaStream_t stream);
cudaError_t LossBack(const Wide& logits, const int32_t* labels, double* losses, cudaStream_t stream);

}  // namespace bitwright::worker::cuda
