#include "workers/kernels/cuda/rotary.h"

#include "workers/kernels/cuda/grid.cuh"

namespace bitwright::worker::cuda {

cudaError_t Rotate(const Wide& cos, const Wide& sin, int64_t rotary, bool interleaved, bool backwards,
                   const HeadRows& x, cudaStream_t stream) {
  const int half = static_cast<int>(rotary / 2);
  const int step = interleaved ? 1 : half, next = interleaved ? 2 : 1;  // between the two of a pair, between pairs
  return ForElements(x.x.rows, x.count * half, stream, [=] __device__(int64_t r, int64_t c) {
    const int head = static_cast<int>(c) / half, i = static_cast<int>(c) % half;
    const int64_t position = r % cos.rows;
    float* at = x.x.Row(r) + head * x.stride + i * next;
    const float a = at[0], b = at[step], turned = cos.Row(position)[i];
    const float raised = backwards ? -sin.Row(position)[i] : sin.Row(position)[i];
    at[0] = a * turned - b * raised;
    at[step] = b * turned + a * raised;
  });
}

}  // namespace bitwright::worker::cuda
