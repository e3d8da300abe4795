#include "workers/formats/dequantize.h"

#include "proto/base/log.h"
#include "workers/formats/stored_float.h"
#include "workers/kernels/vector_clones.h"

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

void Dequantize(IntFormat format, int64_t out, int64_t in, DType value_type, std::span<const int8_t> codes,
                std::span<const float> scales, std::span<float> weights) {
  const int64_t groups = format.Groups(in);
  CHECK(codes.size() == static_cast<size_t>(out * in) && weights.size() == codes.size() &&
        scales.size() == static_cast<size_t>(out * groups))
      << FormatName(format) << " [" << out << ", " << in << "]";
  CHECK(IsWeightType(value_type)) << DTypeName(value_type);
  const auto scale_group = value_type == DType::kBF16 ? ScaleBf16 : value_type == DType::kF16 ? ScaleF16 : ScaleF32;
  const int64_t width = format.GroupWidth(in);
  for (int64_t g = 0; g < out * groups; ++g) {
    scale_group(codes.data() + g * width, scales[g], width, weights.data() + g * width);
  }
}

}  // namespace bitwright::worker
