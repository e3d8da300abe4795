#include "workers/kernels/cpu/dequantize_row.h"

#include "workers/kernels/vector_clones.h"
#include "workers/tensor/stored_float.h"

namespace bitwright::worker {
namespace {

template <DType type>
inline void ScaleGroup(const int8_t* codes, float scale, int64_t count, float* weights) {
  for (int64_t i = 0; i < count; ++i) {
    const float product = static_cast<float>(codes[i]) * scale;
    weights[i] = type == DType::kBF16 ? RoundToBf16(product) : type == DType::kF16 ? RoundToF16(product) : product;
  }
}

BITWRIGHT_VECTOR_CLONES
void ScaleF32(const int8_t* codes, float scale, int64_t count, float* weights) {
  ScaleGroup<DType::kF32>(codes, scale, count, weights);
}

BITWRIGHT_VECTOR_CLONES
void ScaleBf16(const int8_t* codes, float scale, int64_t count, float* weights) {
  ScaleGroup<DType::kBF16>(codes, scale, count, weights);
}

BITWRIGHT_VECTOR_CLONES
void ScaleF16(const int8_t* codes, float scale, int64_t count, float* weights) {
  ScaleGroup<DType::kF16>(codes, scale, count, weights);
}

}  // namespace

void DequantizeRow(DType type, const int8_t* codes, const float* scales, int64_t group, int64_t columns,
                   float* weights) {
  const auto scale_group = type == DType::kBF16 ? ScaleBf16 : type == DType::kF16 ? ScaleF16 : ScaleF32;
  for (int64_t first = 0; first < columns; first += group) {
    scale_group(codes + first, scales[first / group], group, weights + first);
  }
}

}  // namespace bitwright::worker
