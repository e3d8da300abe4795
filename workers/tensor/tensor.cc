#include "workers/tensor/tensor.h"

#include <cstring>

#include "proto/base/log.h"
#include "workers/tensor/float16.h"

namespace bitwright::worker {
namespace {

uint16_t Load16(const std::byte* at) {
  uint16_t value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

}  // namespace

void ToFloat(const TensorView& view, std::span<float> out) { ToFloat(view, 0, view.elements(), out.data()); }

void ToFloat(const TensorView& view, int64_t first, int64_t count, float* out) {
  const std::byte* at = view.bytes.data() + first * ByteSize(view.dtype);
  switch (view.dtype) {
    case DType::kF32:
      if (count > 0) std::memcpy(out, at, static_cast<size_t>(count) * sizeof(float));
      return;
    case DType::kBF16:
      for (int64_t i = 0; i < count; ++i) out[i] = Bf16ToFloat(Load16(at + 2 * i));
      return;
    case DType::kF16:
      for (int64_t i = 0; i < count; ++i) out[i] = F16ToFloat(Load16(at + 2 * i));
      return;
    default:
      CHECK(false) << "ToFloat on " << DTypeName(view.dtype);
  }
}

void FromFloat(std::span<const float> values, DType dtype, std::byte* to) {
  CHECK(IsWeightType(dtype)) << "FromFloat to " << DTypeName(dtype);
  if (dtype == DType::kF32) {
    if (!values.empty()) std::memcpy(to, values.data(), values.size_bytes());
    return;
  }
  for (size_t i = 0; i < values.size(); ++i) {
    const uint16_t half = dtype == DType::kF16 ? FloatToF16(values[i]) : FloatToBf16(values[i]);
    std::memcpy(to + 2 * i, &half, sizeof half);
  }
}

int64_t FirstNonFinite(const TensorView& view) {
  const int64_t count = view.elements();
  const std::byte* at = view.bytes.data();
  if (view.dtype == DType::kF32) {
    for (int64_t i = 0; i < count; ++i) {
      uint32_t bits;
      std::memcpy(&bits, at + 4 * i, sizeof bits);
      if ((bits & 0x7f800000u) == 0x7f800000u) return i;
    }
    return -1;
  }
  const uint16_t mask = view.dtype == DType::kBF16 ? 0x7f80 : 0x7c00;
  for (int64_t i = 0; i < count; ++i) {
    if ((Load16(at + 2 * i) & mask) == mask) return i;
  }
  return -1;
}

int64_t ByteSize(DType dtype, const std::vector<int64_t>& shape) {
  int64_t bytes = ByteSize(dtype);
  for (const int64_t d : shape) bytes *= d;
  return bytes;
}

std::string ShapeText(const std::vector<int64_t>& shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i) text += (i ? ", " : "") + std::to_string(shape[i]);
  return text + "]";
}

}  // namespace bitwright::worker
