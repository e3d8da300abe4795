#pragma once

#include <string_view>

#include "absl/status/status.h"

// Every way in which a model in another form is refused beyond what the readers of its files refuse. All are the
// input's own fault (INVALID_ARGUMENT).
namespace bitwright::worker {

// IMPORT_SCALE_INVALID: of the FP8 matrix `tensor`.
absl::Status ScaleMissingError(std::string_view file, std::string_view tensor, std::string_view scale);
absl::Status ScaleShapeError(std::string_view file, std::string_view scale, std::string_view shape,
                             std::string_view matrix, std::string_view expected);
absl::Status ScaleTypeError(std::string_view file, std::string_view scale, std::string_view dtype);
// IMPORT_TENSOR_UNSUPPORTED: neither plain nor an FP8 matrix.
absl::Status ImportedTensorError(std::string_view file, std::string_view tensor, std::string_view what);
// IMPORT_CONFIG_UNSUPPORTED: something in quantization_config.
absl::Status ImportedConfigError(std::string_view field, std::string_view value, std::string_view supported);

// IMPORT_GGUF_UNSUPPORTED
absl::Status GgufUnsupportedError(std::string_view file, std::string_view what, std::string_view why);
// IMPORT_TENSOR_UNSUPPORTED: a type that holds what is left of a model after quantization.
absl::Status GgufTypeError(std::string_view file, std::string_view tensor, std::string_view type);

}  // namespace bitwright::worker
