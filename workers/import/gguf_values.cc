#include "workers/import/gguf_values.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "proto/base/status_macros.h"
#include "proto/contract/memory_cuts.h"
#include "workers/tensor/float16.h"
#include "workers/tensor/tensor.h"

namespace bitwright::worker {
namespace {

// d · q: one f16 scale and 32 codes.
void ReadQ8(std::span<const std::byte> bytes, std::span<float> out) {
  constexpr size_t kBlock = 32, kBytes = 34;
  for (size_t b = 0; b * kBlock < out.size(); ++b) {
    uint16_t half = 0;
    std::memcpy(&half, bytes.data() + b * kBytes, sizeof half);
    const float scale = F16ToFloat(half);
    for (size_t i = 0; i < kBlock; ++i) {
      out[b * kBlock + i] = scale * static_cast<float>(std::to_integer<int8_t>(bytes[b * kBytes + 2 + i]));
    }
  }
}

// Rows that are read or made together.
int64_t PieceRows(int64_t row_bytes) {
  return std::max<int64_t>(kMappedPieceBytes / std::max<int64_t>(row_bytes, 1), 1);
}

// Whether a value stays the same bit for bit, so that no zero loses its sign; where something was added to it in f32,
// the sum.
bool Holds(DType dtype, float value, float added) {
  const float back = dtype == DType::kF16 ? F16ToFloat(FloatToF16(value)) : Bf16ToFloat(FloatToBf16(value));
  return std::bit_cast<uint32_t>(back + added) == std::bit_cast<uint32_t>(value + added);
}

}  // namespace

bool GgufValues::IsKnown() const {
  const uint32_t id = tensor_->type.id;
  return id == kGgmlF32 || id == kGgmlF16 || id == kGgmlQ8_0 || id == kGgmlBF16;
}

std::span<const std::byte> GgufValues::RowBytes(int64_t row) const {
  const GgmlType& type = tensor_->type;
  const int64_t bytes = columns_ / type.values_per_block * type.bytes_per_block;
  return tensor_->bytes.subspan(static_cast<size_t>((first_ + row) * bytes), static_cast<size_t>(bytes));
}

// Rows of a head that was cut in two are read again.
void GgufValues::Release(int64_t row, int64_t count) const {
  const std::span<const std::byte> first = RowBytes(row);
  const auto offset = static_cast<size_t>(first.data() - tensor_->bytes.data());
  tensor_.file->Release(tensor_->bytes.subspan(offset, first.size() * static_cast<size_t>(count)));
}

void GgufValues::Read(int64_t row, std::span<float> out) const {
  const std::span<const std::byte> bytes = RowBytes(row);
  const uint32_t id = tensor_->type.id;
  if (id == kGgmlQ8_0) {
    ReadQ8(bytes, out);
  } else {
    const DType dtype = id == kGgmlF32 ? DType::kF32 : id == kGgmlF16 ? DType::kF16 : DType::kBF16;
    ToFloat({dtype, {columns_}, bytes}, out);
  }
  if (added_ == 0) return;
  for (float& value : out) value -= added_;
}

bool GgufValues::Fits(DType dtype) const {
  const uint32_t id = tensor_->type.id;
  if (added_ == 0 && id == (dtype == DType::kF16 ? kGgmlF16 : kGgmlBF16)) return true;
  std::vector<float> values(static_cast<size_t>(columns_));
  const int64_t most = PieceRows(columns_ * static_cast<int64_t>(sizeof(float)));
  for (int64_t begin = 0; begin < rows_; begin += most) {
    const int64_t count = std::min(most, rows_ - begin);
    for (int64_t row = begin; row < begin + count; ++row) {
      Read(row, values);
      const bool all =
          std::all_of(values.begin(), values.end(), [&](float value) { return Holds(dtype, value, added_); });
      if (!all) return false;
    }
    Release(begin, count);
  }
  return true;
}

absl::Status GgufValues::Write(DType dtype, const TakeBytes& take) const {
  if (columns_ == 0 || rows_ == 0) return absl::OkStatus();
  if (transposed_) return WriteTransposed(dtype, take);
  const int64_t row_bytes = columns_ * ByteSize(dtype);
  const int64_t most = PieceRows(row_bytes);
  std::vector<float> values(static_cast<size_t>(columns_));
  std::vector<std::byte> out;
  for (int64_t begin = 0; begin < rows_; begin += most) {
    const int64_t count = std::min(most, rows_ - begin);
    out.resize(static_cast<size_t>(count * row_bytes));
    for (int64_t row = 0; row < count; ++row) {
      Read(FileRow(begin + row, head_dim_), values);
      FromFloat(values, dtype, out.data() + row * row_bytes);
    }
    ABSL_RETURN_IF_ERROR(take(out));
    Release(begin, count);
  }
  return absl::OkStatus();
}

// Passes over the file's rows for as many columns at a time as fit a piece.
absl::Status GgufValues::WriteTransposed(DType dtype, const TakeBytes& take) const {
  const int64_t row_bytes = rows_ * ByteSize(dtype);  // of the checkpoint's matrix
  const int64_t most = PieceRows(row_bytes);
  std::vector<float> values(static_cast<size_t>(columns_));
  std::vector<std::byte> out;
  for (int64_t begin = 0; begin < columns_; begin += most) {
    const int64_t count = std::min(most, columns_ - begin);
    out.resize(static_cast<size_t>(count * row_bytes));
    for (int64_t row = 0; row < rows_; ++row) {
      Read(row, values);
      for (int64_t j = 0; j < count; ++j) {
        FromFloat({&values[static_cast<size_t>(begin + j)], 1}, dtype,
                  out.data() + j * row_bytes + row * ByteSize(dtype));
      }
    }
    Release(0, rows_);
    ABSL_RETURN_IF_ERROR(take(out));
  }
  return absl::OkStatus();
}

}  // namespace bitwright::worker
