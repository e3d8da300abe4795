#include "workers/kernels/cuda/rounding_product.h"

#include "workers/kernels/cuda/cuda_libraries.h"

namespace bitwright::worker::cuda {

// cuBLAS counts by columns: to it a row-major matrix is its transpose, and the factors change places.
void Product(const Context& context, float factor, const Wide& a, const Right& right, float before, const Wide& to) {
  if (to.rows == 0 || to.columns == 0) return;
  const auto side = right.transposed ? CUBLAS_OP_T : CUBLAS_OP_N;
  CheckCublas(Cublas()->gemm(context.cublas, side, CUBLAS_OP_N, to.columns, to.rows, a.columns, &factor, right.b.data,
                             CUDA_R_32F, right.b.stride, a.data, CUDA_R_32F, a.stride, &before, to.data, CUDA_R_32F,
                             to.stride, CUBLAS_COMPUTE_32F, CUBLAS_GEMM_DEFAULT),
              "a product");
}

}  // namespace bitwright::worker::cuda
