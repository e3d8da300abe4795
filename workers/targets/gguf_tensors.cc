#include "workers/targets/gguf_tensors.h"

#include <cstring>
#include <span>

#include "workers/targets/targets_errors.h"
#include "workers/tensor/float16.h"

namespace bitwright::worker {
namespace {

float Value(const std::byte* from, DType dtype) {
  float value = 0;
  if (dtype == DType::kF32) {
    std::memcpy(&value, from, sizeof value);
    return value;
  }
  uint16_t half = 0;
  std::memcpy(&half, from, sizeof half);
  return dtype == DType::kBF16 ? Bf16ToFloat(half) : F16ToFloat(half);
}

}  // namespace

bool IsStoredAsIs(const GgufSource& source, DType dtype) {
  return source.shape.size() > 1 && source.rotary_head_dim == 0 && (!source.wide || dtype == DType::kF32);
}

std::vector<std::byte> GgufKeptData(const GgufSource& source, const TensorView& view, const GgmlType& type) {
  const int64_t rows = source.shape.front(), columns = view.elements() / rows;
  const int64_t from_size = ByteSize(view.dtype);
  const int64_t to_size = type.id == kGgmlF32 ? static_cast<int64_t>(sizeof(float)) : from_size;
  std::vector<std::byte> data(static_cast<size_t>(rows * columns * to_size));
  for (int64_t row = 0; row < rows; ++row) {
    const std::byte* from = view.bytes.data() + SourceRow(row, source.rotary_head_dim) * columns * from_size;
    std::byte* to = data.data() + row * columns * to_size;
    if (to_size == from_size && source.added == 0) {
      std::memcpy(to, from, static_cast<size_t>(columns * to_size));
      continue;
    }
    for (int64_t j = 0; j < columns; ++j) {
      const float value = Value(from + j * from_size, view.dtype) + static_cast<float>(source.added);
      std::memcpy(to + j * to_size, &value, sizeof value);
    }
  }
  return data;
}

absl::Status AppendGgufBlocks(const std::string& linear, const GgufSource& source, const GgmlType& type,
                              const PackedUnits& packed, GgufWriter& writer) {
  const std::string name = linear + std::string(type.values_per_block == 1 ? kPlainSuffix : kBlocksSuffix);
  const int64_t rows = source.shape[source.shape.size() - 2];
  const int64_t row_bytes = source.shape.back() / type.values_per_block * type.bytes_per_block;
  const auto found = packed.Find(name);
  if (!found || std::ssize(found->view.bytes) != rows * row_bytes) return WeightsLackError(name);
  const std::span<const std::byte> blocks = found->view.bytes;
  if (source.rotary_head_dim == 0) {
    return writer.AppendSome(blocks, [&](std::span<const std::byte> part) { found->file->Release(part); });
  }
  std::vector<std::byte> ordered(blocks.size());
  for (int64_t row = 0; row < rows; ++row) {
    std::memcpy(ordered.data() + row * row_bytes, blocks.data() + SourceRow(row, source.rotary_head_dim) * row_bytes,
                static_cast<size_t>(row_bytes));
  }
  found->file->Release(blocks);
  return writer.Append(ordered);
}

}  // namespace bitwright::worker
