#include "workers/kernels/cuda/dequantize.h"

#include "workers/kernels/cuda/grid.cuh"
#include "workers/kernels/cuda/stored.cuh"
#include "workers/kernels/pack_codes.h"

namespace bitwright::worker::cuda {
namespace {

__device__ float ValueOf(int code, const GroupedScales& scales, int64_t at) {
  return RoundTo(scales.type, static_cast<float>(code) * scales.scales[at / scales.group]);
}

}  // namespace

cudaError_t Dequantize(const int8_t* codes, const GroupedScales& scales, const Wide& to, cudaStream_t stream) {
  return ForElements(to.rows, to.columns, stream, [=] __device__(int64_t r, int64_t c) {
    const int64_t at = r * to.columns + c;
    to.Row(r)[c] = ValueOf(codes[at], scales, at);
  });
}

cudaError_t DequantizePacked(int bits, const uint32_t* words, const GroupedScales& scales, const Wide& to,
                             cudaStream_t stream) {
  const int64_t per_row = PackedWords(bits, to.columns);
  return ForElements(to.rows, to.columns, stream, [=] __device__(int64_t r, int64_t c) {
    const int64_t bit = c * bits, word = bit / 32;
    const uint32_t* row = words + r * per_row;
    // A code may cross into the next word, which is there where it does.
    const uint32_t high = word + 1 < per_row ? row[word + 1] : 0;
    const uint32_t raw = __funnelshift_r(row[word], high, static_cast<unsigned>(bit % 32)) & ((1u << bits) - 1);
    to.Row(r)[c] = ValueOf(static_cast<int>(raw) - (1 << (bits - 1)), scales, r * to.columns + c);
  });
}

}  // namespace bitwright::worker::cuda
