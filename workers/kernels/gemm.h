#pragma once

#include <cstdint>

namespace bitwright::worker {

// Matrix products, row-major. Single-threaded when called from a piece of a ThreadPool. The same shape and input give
// the same bits within one compute class. Leading dimensions in elements. Throw std::bad_alloc when memory is out.

// C[m,n] = alpha · op(A) op(B) + beta · C in f32. trans_a: A is stored [k,m]; trans_b: B is stored [n,k].
void GemmF32(bool trans_a, bool trans_b, int64_t m, int64_t n, int64_t k, float alpha, const float* a, int64_t lda,
             const float* b, int64_t ldb, float beta, float* c, int64_t ldc);

// C[m,n] = A[m,k] B[n,k]ᵀ for bf16 operands (bits in u16), accumulated in f32. Where the processor has no bf16
// instructions the operands are widened: same meaning, other rounding of the sums.
void GemmBf16(int64_t m, int64_t n, int64_t k, const uint16_t* a, int64_t lda, const uint16_t* b, int64_t ldb, float* c,
              int64_t ldc);

}  // namespace bitwright::worker
