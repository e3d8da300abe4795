#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

#include "workers/tensor/dtype.h"
#include "workers/tensor/float16.h"

namespace bitwright::worker {

// A consumer keeps scales, and the weights that it decompresses, in the dtype of the model's weights. These functions
// give the f32 values that survive there. Branch-free, so that loops over them vectorize. Finite arguments.

// To bfloat16 and back: nearest, ties to even.
inline float RoundToBf16(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  return std::bit_cast<float>((bits + 0x7fffu + ((bits >> 16) & 1u)) & 0xffff0000u);
}

// To IEEE binary16 and back: nearest, ties to even; subnormals kept; infinity past 65504.
inline float RoundToF16(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  const uint32_t sign = bits & 0x80000000u;
  const float magnitude = std::bit_cast<float>(bits ^ sign);
  const uint32_t normal = ((bits ^ sign) + 0xfffu + ((bits >> 13) & 1u)) & ~0x1fffu;
  // Subnormals are multiples of 2^−24, which is the last place of f32 numbers in [0.5, 1).
  const uint32_t subnormal = std::bit_cast<uint32_t>((magnitude + 0.5f) - 0.5f);
  uint32_t result = magnitude < 0x1p-14f ? subnormal : normal;
  result = magnitude >= 65520.0f ? 0x7f800000u : result;
  return std::bit_cast<float>(result | sign);
}

// To `type` (F32, F16 or BF16) and back.
inline float RoundTo(DType type, float value) {
  if (type == DType::kBF16) return RoundToBf16(value);
  if (type == DType::kF16) return RoundToF16(value);
  return value;
}

// The gap between 1 and the next number of `type`: compressed-tensors' scale of an all-zero group.
constexpr float Epsilon(DType type) {
  return type == DType::kBF16 ? 0x1p-7f : type == DType::kF16 ? 0x1p-10f : 0x1p-23f;
}

}  // namespace bitwright::worker
