#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"

// Every way in which a model's files are refused. All are the input's own fault (INVALID_ARGUMENT) and are not retried.
// `file` is the name within the model, `tensor` the checkpoint name, offsets count bytes from the start of the file.
namespace bitwright::worker::checkpoint_errors {

absl::Status JsonInvalid(std::string_view file, std::string_view why);             // JSON_INVALID
absl::Status DuplicateKey(std::string_view file, std::string_view key);            // JSON_DUPLICATE_KEY
absl::Status Truncated(std::string_view file, int64_t size, int64_t needed);       // SAFETENSORS_TRUNCATED
absl::Status HeaderTooLarge(std::string_view file, uint64_t size, int64_t limit);  // SAFETENSORS_HEADER_TOO_LARGE
absl::Status HeaderInvalid(std::string_view file, std::string_view tensor,
                           std::string_view why);  // SAFETENSORS_HEADER_INVALID
absl::Status UnknownDType(std::string_view file, std::string_view tensor,
                          std::string_view dtype);  // SAFETENSORS_DTYPE_UNKNOWN
absl::Status ShapeOverflow(std::string_view file, std::string_view tensor,
                           std::string_view shape);  // SAFETENSORS_SHAPE_OVERFLOW
absl::Status RangeMismatch(std::string_view file, std::string_view tensor, int64_t range,
                           int64_t shape_bytes);  // SAFETENSORS_RANGE_MISMATCH
absl::Status PastEnd(std::string_view file, std::string_view tensor, int64_t end,
                     int64_t available);  // SAFETENSORS_PAST_END
absl::Status Overlap(std::string_view file, std::string_view tensor, std::string_view other,
                     int64_t at);                                                               // SAFETENSORS_OVERLAP
absl::Status Hole(std::string_view file, std::string_view tensor, int64_t begin, int64_t end);  // SAFETENSORS_HOLE
absl::Status TrailingBytes(std::string_view file, int64_t end, int64_t available);  // SAFETENSORS_TRAILING_BYTES

absl::Status FileMissing(std::string_view file, std::string_view why);  // MODEL_FILE_MISSING
absl::Status IndexMismatch(std::string_view file, std::string_view tensor,
                           std::string_view why);                           // CHECKPOINT_INDEX_MISMATCH
absl::Status TensorMissing(std::string_view tensor, std::string_view why);  // TENSOR_MISSING
absl::Status WrongShape(std::string_view file, std::string_view tensor, std::string_view shape,
                        std::string_view expected);                                              // TENSOR_SHAPE_WRONG
absl::Status WrongType(std::string_view file, std::string_view tensor, std::string_view dtype);  // TENSOR_DTYPE_WRONG
absl::Status NotFinite(std::string_view file, std::string_view tensor, int64_t element);         // TENSOR_NOT_FINITE

absl::Status ConfigInvalid(std::string_view field, std::string_view why);  // CONFIG_INVALID
absl::Status ArchitectureUnsupported(std::string_view architecture);       // ARCHITECTURE_UNSUPPORTED
absl::Status FeatureUnsupported(std::string_view field, std::string_view value,
                                std::string_view supported);  // CONFIG_UNSUPPORTED

}  // namespace bitwright::worker::checkpoint_errors
