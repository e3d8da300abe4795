#pragma once

#include <optional>
#include <string_view>

#include "workers/tensor/dtype.h"

namespace bitwright::worker {

// The value of `dtype` or `torch_dtype` of a config.json as transformers (5.23) reads it, which takes names of the
// torch module and no others: "bfloat16", "float16" or "half", "float32" or "float", "float64" or "double". Programs
// that write str(torch.bfloat16) leave "torch.bfloat16", which means the same and which transformers refuses; "auto" is
// what the weights have, and empty here. Nothing: no type of weights.
std::optional<std::string_view> TorchDTypeName(std::string_view spelling);

// The same of the type of weights, F32, F16 or BF16.
std::string_view TorchDTypeName(DType dtype);

}  // namespace bitwright::worker
