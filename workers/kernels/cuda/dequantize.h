#pragma once

#include "workers/kernels/cuda/launch.h"
#include "workers/tensor/dtype.h"

namespace bitwright::worker::cuda {

// to = code · scale of its group of columns, rounded to `type` as a consumer rounds it. scales [rows, columns / group].
struct GroupedScales {
  const float* scales;
  int64_t group;
  DType type;
};
// codes i8 [rows, columns]
cudaError_t Dequantize(const int8_t* codes, const GroupedScales& scales, const Wide& to, cudaStream_t stream);
// words u32 [rows, words per row] as pack_codes.h has them.
cudaError_t DequantizePacked(int bits, const uint32_t* words, const GroupedScales& scales, const Wide& to,
                             cudaStream_t stream);

}  // namespace bitwright::worker::cuda
