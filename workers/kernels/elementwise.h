#pragma once

#include <cstdint>

// The element-wise parts of a decoder block, f32, row-major, single-threaded. Two implementations of one contract:
// vector instructions of the compute class in force (cpu/elementwise.cc), and plain loops for tests, whose names begin
// with Reference (reference/elementwise.cc).
// Results of the two agree within a few units in the last place; each is deterministic.
namespace bitwright::worker {

// out[r,i] = x[r,i] · weight[i] / sqrt(mean_i(x[r,i]²) + eps). x and out may be the same. Rows are `stride` apart in
// both.
void RmsNorm(const float* x, const float* weight, float eps, int64_t rows, int64_t n, int64_t stride, float* out);

// Rotates pairs (i, i + dim/2) of each head in place: x[r, h·dim …]; cos and sin are [rows, dim/2].
void ApplyRope(float* x, int64_t rows, int64_t stride, int64_t heads, int64_t dim, const float* cos, const float* sin);

// In place: x[i] = exp(x[i] − max) / Σ exp(x − max) over i in [begin, end); elements outside become 0 within [0, n).
void Softmax(float* x, int64_t n, int64_t begin, int64_t end);

// gate[i] = gate[i] / (1 + exp(−gate[i])) · up[i]
void SiluMul(float* gate, const float* up, int64_t n);

// x[r,i] += bias[i]
void AddBias(float* x, const float* bias, int64_t rows, int64_t n);

// x[i] += y[i]
void AddInto(float* x, const float* y, int64_t n);

// Rounds to bf16, nearest, ties to even; finite input.
void NarrowToBf16(const float* from, int64_t n, uint16_t* to);

// The plain loops, function for function.
void ReferenceRmsNorm(const float* x, const float* weight, float eps, int64_t rows, int64_t n, int64_t stride,
                      float* out);
void ReferenceApplyRope(float* x, int64_t rows, int64_t stride, int64_t heads, int64_t dim, const float* cos,
                        const float* sin);
void ReferenceSoftmax(float* x, int64_t n, int64_t begin, int64_t end);
void ReferenceSiluMul(float* gate, const float* up, int64_t n);
void ReferenceAddBias(float* x, const float* bias, int64_t rows, int64_t n);
void ReferenceAddInto(float* x, const float* y, int64_t n);
void ReferenceNarrowToBf16(const float* from, int64_t n, uint16_t* to);

}  // namespace bitwright::worker
