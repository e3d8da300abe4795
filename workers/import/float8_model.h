#pragma once

#include "absl/status/statusor.h"
#include "bitwright/v1/models.pb.h"
#include "workers/checkpoint/model_files.h"
#include "workers/import/plain_model.h"

namespace bitwright::worker {

// An FP8 checkpoint as the plain one that it stands for. Every matrix "{stem}.weight" of E4M3 becomes
//   W[i, j] = E4M3(code[i, j]) · scale[i / m, j / n]     in f32, rounded to the dtype of config.json, else BF16
// as transformers' Fp8Dequantize and compressed-tensors' decompress compute it. Scales:
//   quant_method "fp8" (DeepSeek-V3, Qwen3-FP8): "{stem}.weight_scale_inv", one for each block of weight_block_size
//     (m × n, the last ones cut off), or one for the matrix, which may be named "{stem}.weight_scale" (AutoFP8)
//   compressed-tensors "float-quantized": "{stem}.weight_scale", of the tensor [1], the rows [out, 1], groups
//     [out, in / g], or blocks of block_structure
// Scales and those of activations go; all other tensors stay as they are, and so do the files beside them.
// config.json loses quantization_config. Errors of Checkpoint; IMPORT_SCALE_INVALID, IMPORT_TENSOR_UNSUPPORTED,
// IMPORT_CONFIG_UNSUPPORTED. Keeps the files mapped as long as its tensors live.
absl::StatusOr<PlainModel> ReadFloat8Model(const ModelFiles& files, v1::Import::Form form);

}  // namespace bitwright::worker
