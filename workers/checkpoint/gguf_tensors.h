#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "workers/checkpoint/ggml_types.h"
#include "workers/checkpoint/gguf_cursor.h"

namespace bitwright::worker {

// Limits of ggml (ggml.h): a shape has at most four dimensions. A name has at most 64 bytes by docs/gguf.md.
inline constexpr size_t kMaxGgufDimensions = 4;
inline constexpr size_t kMaxGgufNameBytes = 64;
// Bounds the memory of a hostile file; real files have some thousands of tensors at most.
inline constexpr uint64_t kMaxGgufTensors = 1'000'000;
// A name of one byte after its length, one dimension after their number, type and offset.
inline constexpr uint64_t kLeastGgufTensorBytes = 8 + 1 + 4 + 8 + 4 + 8;

// A tensor of a GGUF file. The shape is row-major: the dimensions of the file, which has the fastest first, reversed.
struct GgufTensor {
  std::string name;
  std::vector<int64_t> shape;
  GgmlType type;
  uint64_t offset = 0;               // from the start of the data part
  std::span<const std::byte> bytes;  // a view
};

// The next multiple of `alignment`.
constexpr int64_t GgufPadded(int64_t bytes, int64_t alignment) {
  return (bytes + alignment - 1) / alignment * alignment;
}

// Reads what is declared of `count` tensors, without bytes. Errors of the cursor, GGUF_TENSOR_INVALID,
// GGUF_DUPLICATE_TENSOR, GGUF_TYPE_UNKNOWN, GGUF_ROW_NOT_BLOCKS, GGUF_SHAPE_OVERFLOW.
absl::StatusOr<std::vector<GgufTensor>> ReadGgufTensors(GgufCursor& cursor, uint64_t count);

// Gives each tensor its bytes in the data part. As ggml demands, each begins where the one before it ends, rounded up
// to the alignment; so none overlap, and nothing is hidden between them. The padding after the last may be missing.
// GGUF_OFFSET_MISALIGNED, GGUF_OVERLAP, GGUF_HOLE, GGUF_PAST_END, GGUF_TRAILING_BYTES.
absl::Status PlaceGgufTensors(std::string_view file, std::span<const std::byte> data, int64_t alignment,
                              std::vector<GgufTensor>& tensors);

}  // namespace bitwright::worker
