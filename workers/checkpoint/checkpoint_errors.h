#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"

// Every way in which a model's files are refused. All are the input's own fault (INVALID_ARGUMENT) and are not retried.
// `file` is the name within the model, `tensor` the checkpoint name, offsets count bytes from the start of the file.
namespace bitwright::worker {

// JSON_INVALID
absl::Status JsonInvalidError(std::string_view file, std::string_view why);
// JSON_DUPLICATE_KEY
absl::Status JsonDuplicateKeyError(std::string_view file, std::string_view key);

// SAFETENSORS_TRUNCATED
absl::Status SafetensorsTruncatedError(std::string_view file, int64_t size, int64_t needed);
// SAFETENSORS_HEADER_TOO_LARGE
absl::Status SafetensorsHeaderTooLargeError(std::string_view file, uint64_t size, int64_t limit);
// SAFETENSORS_HEADER_INVALID
absl::Status SafetensorsHeaderInvalidError(std::string_view file, std::string_view tensor, std::string_view why);
// SAFETENSORS_DTYPE_UNKNOWN
absl::Status TensorTypeUnknownError(std::string_view file, std::string_view tensor, std::string_view dtype);
// SAFETENSORS_SHAPE_OVERFLOW
absl::Status TensorShapeOverflowError(std::string_view file, std::string_view tensor, std::string_view shape);
// SAFETENSORS_RANGE_MISMATCH
absl::Status TensorRangeMismatchError(std::string_view file, std::string_view tensor, int64_t range,
                                      int64_t shape_bytes);
// SAFETENSORS_PAST_END
absl::Status TensorPastEndError(std::string_view file, std::string_view tensor, int64_t end, int64_t available);
// SAFETENSORS_OVERLAP
absl::Status TensorsOverlapError(std::string_view file, std::string_view tensor, std::string_view other, int64_t at);
// SAFETENSORS_HOLE
absl::Status TensorsHoleError(std::string_view file, std::string_view tensor, int64_t begin, int64_t end);
// SAFETENSORS_TRAILING_BYTES
absl::Status SafetensorsTrailingBytesError(std::string_view file, int64_t end, int64_t available);

// TASK_SPEC_INVALID: the task does not name the bytes of `what` among the pieces of the file that it reads.
absl::Status BytesNotGivenError(std::string_view file, std::string_view what);

// MODEL_FILE_MISSING
absl::Status ModelFileMissingError(std::string_view file, std::string_view why);
// CHECKPOINT_INDEX_MISMATCH
absl::Status CheckpointIndexMismatchError(std::string_view file, std::string_view tensor, std::string_view why);
// TENSOR_MISSING
absl::Status TensorMissingError(std::string_view tensor, std::string_view why);
// TENSOR_SHAPE_WRONG
absl::Status TensorShapeWrongError(std::string_view file, std::string_view tensor, std::string_view shape,
                                   std::string_view expected);
// TENSOR_DTYPE_WRONG
absl::Status TensorTypeWrongError(std::string_view file, std::string_view tensor, std::string_view dtype);
// TENSOR_NOT_FINITE
absl::Status TensorNotFiniteError(std::string_view file, std::string_view tensor, int64_t element);

// CONFIG_INVALID
absl::Status ConfigInvalidError(std::string_view field, std::string_view why);
// ARCHITECTURE_UNSUPPORTED
absl::Status ArchitectureUnsupportedError(std::string_view architecture);
// CONFIG_UNSUPPORTED
absl::Status ConfigUnsupportedError(std::string_view field, std::string_view value, std::string_view supported);
// CONFIG_CONTRADICTS_CHECKPOINT: the checkpoint holds `tensor`, which a model of this config does not have; `field` is
// the key that says so.
absl::Status ConfigContradictsCheckpointError(std::string_view file, std::string_view tensor, std::string_view field);

}  // namespace bitwright::worker
