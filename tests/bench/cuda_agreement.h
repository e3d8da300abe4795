#pragma once

#include <cstdint>

#include "workers/kernels/cuda/cuda_memory.h"

namespace bitwright::worker {

// Rows of [rows, n] on the card beside the same on the processor, whose sums go another way: the share of rows with the
// same codes, and losses.
void CompareWithProcessor(const cuda::Context& context, int64_t rows, int64_t n, bool act_order);

}  // namespace bitwright::worker
