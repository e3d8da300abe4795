#include "workers/kernels/cuda/elementwise.h"

#include "workers/kernels/cuda/grid.cuh"

namespace bitwright::worker::cuda {

cudaError_t Fill(float value, const Wide& to, cudaStream_t stream) {
  return ForElements(to.rows, to.columns, stream, [=] __device__(int64_t r, int64_t c) { to.Row(r)[c] = value; });
}

cudaError_t Add(float factor, const Wide& from, const Wide& to, cudaStream_t stream) {
  return ForElements(to.rows, to.columns, stream, [=] __device__(int64_t r, int64_t c) {
    to.Row(r)[c] = __fadd_rn(to.Row(r)[c], __fmul_rn(factor, from.Row(r)[c]));
  });
}

}  // namespace bitwright::worker::cuda
