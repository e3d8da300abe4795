#pragma once

#include <cmath>
#include <cstdint>
#include <optional>
#include <span>

namespace bitwright::worker {

// Symmetric matrices [n, n] stored as their upper triangle, row by row: (0,0) … (0,n−1), (1,1) … (n−1,n−1).
constexpr int64_t PackedTriangleSize(int64_t n) { return n * (n + 1) / 2; }

// Position of (row, column), row ≤ column.
constexpr int64_t PackedTriangleIndex(int64_t n, int64_t row, int64_t column) {
  return row * (2 * n - row + 1) / 2 + (column - row);
}

// The n of which `size` is the PackedTriangleSize; nothing when there is none.
inline std::optional<int64_t> PackedTriangleOrder(int64_t size) {
  if (size < 1 || size > PackedTriangleSize(int64_t{1} << 31)) return std::nullopt;
  const int64_t n = std::llround(std::sqrt(2.0 * static_cast<double>(size) + 0.25) - 0.5);
  return PackedTriangleSize(n) == size ? std::optional(n) : std::nullopt;
}

static_assert(PackedTriangleIndex(3, 1, 1) == 3 && PackedTriangleIndex(3, 2, 2) == PackedTriangleSize(3) - 1);

// full [n, n] row-major, both triangles.
inline void UnpackTriangle(std::span<const float> packed, int64_t n, std::span<float> full) {
  const float* from = packed.data();
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = i; j < n; ++j) full[i * n + j] = full[j * n + i] = *from++;
  }
}

inline void PackTriangle(std::span<const float> full, int64_t n, std::span<float> packed) {
  float* to = packed.data();
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = i; j < n; ++j) *to++ = full[i * n + j];
  }
}

}  // namespace bitwright::worker
