#pragma once

#include <bit>
#include <cstdint>
#include <string_view>
#include <type_traits>

namespace bitwright::worker {

// Numbers lie in a GGUF file as they lie in memory here.
static_assert(std::endian::native == std::endian::little && sizeof(bool) == 1);

// Kinds of metadata values, by their number in the file (ggml-org/ggml, docs/gguf.md).
enum class GgufKind : uint32_t {
  kU8 = 0,
  kI8 = 1,
  kU16 = 2,
  kI16 = 3,
  kU32 = 4,
  kI32 = 5,
  kF32 = 6,
  kBool = 7,    // one byte, 0 or 1
  kString = 8,  // u64 length, then as many bytes
  kArray = 9,   // u32 kind of the elements, u64 count, then the elements
  kU64 = 10,
  kI64 = 11,
  kF64 = 12,
};
inline constexpr uint32_t kGgufKinds = 13;

// Bytes of one value; 0 for strings and arrays, which say it themselves.
constexpr int64_t ByteSize(GgufKind kind) {
  constexpr int64_t kSizes[kGgufKinds] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
  return kSizes[static_cast<uint32_t>(kind)];
}

// "u32"
constexpr std::string_view GgufKindName(GgufKind kind) {
  constexpr std::string_view kNames[kGgufKinds] = {"u8",   "i8",     "u16",   "i16", "u32", "i32", "f32",
                                                   "bool", "string", "array", "u64", "i64", "f64"};
  return kNames[static_cast<uint32_t>(kind)];
}

// The kind that holds a number or truth of this type.
template <typename T>
constexpr GgufKind GgufKindOf() {
  if constexpr (std::is_same_v<T, bool>) return GgufKind::kBool;
  if constexpr (std::is_same_v<T, float>) return GgufKind::kF32;
  if constexpr (std::is_same_v<T, double>) return GgufKind::kF64;
  constexpr bool kSigned = std::is_signed_v<T>;
  if constexpr (sizeof(T) == 1) return kSigned ? GgufKind::kI8 : GgufKind::kU8;
  if constexpr (sizeof(T) == 2) return kSigned ? GgufKind::kI16 : GgufKind::kU16;
  if constexpr (sizeof(T) == 4) return kSigned ? GgufKind::kI32 : GgufKind::kU32;
  static_assert(std::is_arithmetic_v<T> && sizeof(T) <= 8);
  return kSigned ? GgufKind::kI64 : GgufKind::kU64;
}

}  // namespace bitwright::worker
