#pragma once

#include <cstdint>
#include <string_view>

#include "absl/status/status.h"

// Every way in which a GGUF file is refused. All are the input's own fault (INVALID_ARGUMENT) and are not retried.
// `file` is the name within the model; `byte` counts from the start of the file, offsets from that of the data part.
namespace bitwright::worker {

// GGUF_TRUNCATED: `what`, from this byte on, needs more bytes than are left.
absl::Status GgufTruncatedError(std::string_view file, std::string_view what, uint64_t byte, uint64_t needed,
                                uint64_t left);
// GGUF_MAGIC_WRONG
absl::Status GgufMagicWrongError(std::string_view file, std::string_view magic);
// GGUF_VERSION_UNSUPPORTED
absl::Status GgufVersionUnsupportedError(std::string_view file, uint32_t version);
// GGUF_COUNT_TOO_LARGE: `limit` is what the bytes left can hold, or less.
absl::Status GgufCountTooLargeError(std::string_view file, std::string_view what, uint64_t byte, uint64_t count,
                                    uint64_t limit);

// GGUF_KEY_INVALID
absl::Status GgufKeyInvalidError(std::string_view file, std::string_view key, uint64_t byte, uint64_t size,
                                 uint64_t limit);
// GGUF_DUPLICATE_KEY
absl::Status GgufDuplicateKeyError(std::string_view file, std::string_view key, uint64_t byte);
// GGUF_VALUE_INVALID
absl::Status GgufValueInvalidError(std::string_view file, std::string_view key, uint64_t byte, std::string_view why);
// GGUF_ALIGNMENT_INVALID
absl::Status GgufAlignmentInvalidError(std::string_view file, std::string_view value);
// GGUF_KEY_MISSING
absl::Status GgufKeyMissingError(std::string_view file, std::string_view key);
// GGUF_VALUE_KIND_WRONG
absl::Status GgufValueKindWrongError(std::string_view file, std::string_view key, std::string_view kind,
                                     std::string_view wanted);

// GGUF_TENSOR_INVALID
absl::Status GgufTensorInvalidError(std::string_view file, std::string_view tensor, uint64_t byte,
                                    std::string_view why);
// GGUF_DUPLICATE_TENSOR
absl::Status GgufDuplicateTensorError(std::string_view file, std::string_view tensor, uint64_t byte);
// GGUF_TYPE_UNKNOWN
absl::Status GgufTypeUnknownError(std::string_view file, std::string_view tensor, uint64_t byte, uint32_t type);
// GGUF_ROW_NOT_BLOCKS
absl::Status GgufRowNotBlocksError(std::string_view file, std::string_view tensor, int64_t row, std::string_view type,
                                   int64_t values_per_block);
// GGUF_SHAPE_OVERFLOW
absl::Status GgufShapeOverflowError(std::string_view file, std::string_view tensor, std::string_view shape);
// GGUF_OFFSET_MISALIGNED
absl::Status GgufOffsetMisalignedError(std::string_view file, std::string_view tensor, uint64_t offset,
                                       int64_t alignment);
// GGUF_OVERLAP
absl::Status GgufOverlapError(std::string_view file, std::string_view tensor, std::string_view other, uint64_t offset);
// GGUF_HOLE
absl::Status GgufHoleError(std::string_view file, std::string_view tensor, int64_t begin, uint64_t offset);
// GGUF_PAST_END
absl::Status GgufPastEndError(std::string_view file, std::string_view tensor, uint64_t offset, int64_t bytes,
                              int64_t available);
// GGUF_TRAILING_BYTES
absl::Status GgufTrailingBytesError(std::string_view file, int64_t end, int64_t available);

// GGUF_NAME_TOO_LONG: this name cannot be written so that ggml reads it.
absl::Status GgufNameTooLongError(std::string_view file, std::string_view tensor, uint64_t limit);

}  // namespace bitwright::worker
