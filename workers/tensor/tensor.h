#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "workers/tensor/dtype.h"

namespace bitwright::worker {

// A tensor that lies elsewhere, usually in a mapped file: row-major, little endian, not necessarily aligned.
// Does not own the bytes.
struct TensorView {
  DType dtype = DType::kF32;
  std::vector<int64_t> shape;
  std::span<const std::byte> bytes;

  int64_t elements() const {
    int64_t product = 1;
    for (const int64_t d : shape) product *= d;
    return product;
  }
};

// Widens F32, F16 or BF16 to f32, exactly. out has view.elements() floats. Other types are a bug of the caller.
void ToFloat(const TensorView& view, std::span<float> out);

// The same for `count` elements from element `first`.
void ToFloat(const TensorView& view, int64_t first, int64_t count, float* out);

// The reverse: numbers as bytes of F32, F16 or BF16, rounded to nearest, ties to even. `to` has room for all.
void FromFloat(std::span<const float> values, DType dtype, std::byte* to);

// Index of the first NaN or infinity; −1 when all elements are finite.
int64_t FirstNonFinite(const TensorView& view);

// Bytes of a tensor.
int64_t ByteSize(DType dtype, const std::vector<int64_t>& shape);

// "[4096, 256]"
std::string ShapeText(const std::vector<int64_t>& shape);

}  // namespace bitwright::worker
