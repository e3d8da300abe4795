#pragma once

#include <cstdint>
#include <span>

#include "workers/formats/int_format.h"
#include "workers/tensor/dtype.h"

namespace bitwright::worker {

// weights[out, in] = code · scale, f32 row-major.
//   codes  i8 [out, in]
//   scales f32 [out, format.Groups(in)]: the stored scales, widened exactly
//   value_type: the type in which the consumer holds the weights that it decompresses. compressed-tensors (and so
//     transformers) multiplies in the dtype of the scales, which is the model's: pass BF16 for a bf16 model, and the
//     product is rounded to bf16 as the consumer rounds it. Evaluation and rounding must see those values: at 8 bits
//     this rounding is as large as the quantization itself.
// Sizes of the spans must fit exactly. Thread-safe.
void Dequantize(IntFormat format, int64_t out, int64_t in, DType value_type, std::span<const int8_t> codes,
                std::span<const float> scales, std::span<float> weights);

}  // namespace bitwright::worker
