#include "workers/kernels/cuda/product.h"

#include "workers/kernels/cuda/cuda_libraries.h"

namespace bitwright::worker::cuda {
namespace {

// cuBLAS counts down columns: to it a row-major matrix is its transpose, and toᵀ = bᵀ aᵀ.
template <typename T>
void Multiply(const Context& context, cudaDataType type, float factor, const Operand<T>& a, const Operand<T>& b,
              int64_t depth, float before, const Wide& to) {
  if (to.rows == 0 || to.columns == 0) return;
  const auto side = [](const Operand<T>& operand) { return operand.transposed ? CUBLAS_OP_T : CUBLAS_OP_N; };
  CheckCublas(Cublas()->gemm(context.cublas, side(b), side(a), to.columns, to.rows, depth, &factor, b.data, type,
                             b.stride, a.data, type, a.stride, &before, to.data, CUDA_R_32F, to.stride,
                             CUBLAS_COMPUTE_32F, CUBLAS_GEMM_DEFAULT),
              "a matrix product");
}

}  // namespace

void Product(const Context& context, float factor, const Operand<float>& a, const Operand<float>& b, int64_t depth,
             float before, const Wide& to) {
  Multiply(context, CUDA_R_32F, factor, a, b, depth, before, to);
}

void Product(const Context& context, float factor, const Operand<uint16_t>& a, const Operand<uint16_t>& b,
             int64_t depth, float before, const Wide& to) {
  Multiply(context, CUDA_R_16BF, factor, a, b, depth, before, to);
}

}  // namespace bitwright::worker::cuda
