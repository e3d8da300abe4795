#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace bitwright::worker {

// Element types that safetensors knows and this project reads. F8 types have one byte and are carried, not computed.
enum class DType : uint8_t {
  kBool,
  kU8,
  kI8,
  kF8E4M3,
  kF8E5M2,
  kI16,
  kU16,
  kF16,
  kBF16,
  kI32,
  kU32,
  kF32,
  kF64,
  kI64,
  kU64
};

// Size of one element in bytes.
constexpr int64_t ByteSize(DType dtype) {
  switch (dtype) {
    case DType::kBool:
    case DType::kU8:
    case DType::kI8:
    case DType::kF8E4M3:
    case DType::kF8E5M2:
      return 1;
    case DType::kI16:
    case DType::kU16:
    case DType::kF16:
    case DType::kBF16:
      return 2;
    case DType::kI32:
    case DType::kU32:
    case DType::kF32:
      return 4;
    case DType::kF64:
    case DType::kI64:
    case DType::kU64:
      return 8;
  }
  return 0;
}

// Name in a safetensors header ("BF16"), and back; nothing for an unknown name.
std::string_view DTypeName(DType dtype);
std::optional<DType> ParseDType(std::string_view name);

// F32, F16 or BF16: what a model's weights may be.
constexpr bool IsWeightType(DType dtype) {
  return dtype == DType::kF32 || dtype == DType::kF16 || dtype == DType::kBF16;
}

}  // namespace bitwright::worker
