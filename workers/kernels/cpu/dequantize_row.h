#pragma once

#include <cstdint>

#include "workers/tensor/dtype.h"

namespace bitwright::worker {

// weights[i] = code · scale of its group of neighbours, rounded to `type` (F32, F16 or BF16) as a consumer rounds it:
// compressed-tensors (and so transformers) multiplies in the dtype of the scales, which is the model's. Evaluation and
// rounding must see those values: at 8 bits this rounding is as large as the quantization itself. `columns` is a
// multiple of `group`. Thread-safe.
void DequantizeRow(DType type, const int8_t* codes, const float* scales, int64_t group, int64_t columns,
                   float* weights);

}  // namespace bitwright::worker
