#pragma once

#include <cstdint>

#include "workers/kernels/site_format.h"

// The element-wise parts of a decoder block, f32, row-major, single-threaded. Two implementations of one contract:
// vector instructions of the compute class in force (cpu/elementwise.cc), and plain loops for tests, whose names begin
// with Reference (reference/elementwise.cc).
// Results of the two agree within a few units in the last place; each is deterministic.
namespace bitwright::worker {

// out[r,i] = x[r,i] · weight[i] / sqrt(mean_i(x[r,i]²) + eps). x and out may be the same. Rows are `stride` apart in
// both.
void RmsNorm(const float* x, const float* weight, float eps, int64_t rows, int64_t n, int64_t stride, float* out);

// out[i] = (x[i] − mean) · weight[i] / sqrt(mean((x − mean)²) + eps) + bias[i]. bias may be null: none. x and out may
// be the same.
void LayerNorm(const float* x, const float* weight, const float* bias, float eps, int64_t n, float* out);

// Rotates in place the pairs (i, i + rotary/2) of the first `rotary` elements of each head; the head h of row r begins
// at x[r·stride + h·head_stride]. cos and sin are [rows, rotary/2].
void ApplyRope(float* x, int64_t rows, int64_t stride, int64_t heads, int64_t head_stride, int64_t rotary,
               const float* cos, const float* sin);
// The same for pairs (2i, 2i + 1).
void ApplyRopeInterleaved(float* x, int64_t rows, int64_t stride, int64_t heads, int64_t head_stride, int64_t rotary,
                          const float* cos, const float* sin);

// In place: x[i] = exp(x[i] − max) / Σ exp(x − max) over i in [begin, end); elements outside become 0 within [0, n).
void Softmax(float* x, int64_t n, int64_t begin, int64_t end);

enum class Activation {
  kSilu,      // x / (1 + exp(−x))
  kGelu,      // x/2 · (1 + erf(x/√2))
  kGeluTanh,  // x/2 · (1 + tanh(√(2/π) · (x + 0.044715 x³)))
  kRelu,      // max(x, 0)
};

// out[i] = f(x[i]). x and out may be the same.
void Activate(Activation activation, const float* x, int64_t n, float* out);
// out[i] = f(gate[i]) · up[i]. out may be gate.
void ActivateMul(Activation activation, const float* gate, const float* up, int64_t n, float* out);

// Backwards, dout the gradient with respect to out: dgate[i] += dout[i] · up[i] · f'(gate[i]) and dup[i] += dout[i] ·
// f(gate[i]). Where up is null, it is 1 and dup is not written.
void ActivateBack(Activation activation, const float* gate, const float* up, const float* dout, int64_t n, float* dgate,
                  float* dup);

// x[i] = cap · tanh(x[i] / cap)
void SoftCap(float cap, float* x, int64_t n);

// to[i] += factor · from[i], the product rounded before it is added
void AddScaled(float factor, const float* from, int64_t n, float* to);

// Rounds to bf16, nearest, ties to even; finite input.
void NarrowToBf16(const float* from, int64_t n, uint16_t* to);

// out = the row x as `site` has it. x and out may be the same; all implementations give the same bits.
void RoundAtSite(SiteFormat site, const float* x, int64_t n, float* out);

// The plain loops, function for function.
void ReferenceRmsNorm(const float* x, const float* weight, float eps, int64_t rows, int64_t n, int64_t stride,
                      float* out);
void ReferenceLayerNorm(const float* x, const float* weight, const float* bias, float eps, int64_t n, float* out);
void ReferenceApplyRope(float* x, int64_t rows, int64_t stride, int64_t heads, int64_t head_stride, int64_t rotary,
                        const float* cos, const float* sin);
void ReferenceApplyRopeInterleaved(float* x, int64_t rows, int64_t stride, int64_t heads, int64_t head_stride,
                                   int64_t rotary, const float* cos, const float* sin);
void ReferenceSoftmax(float* x, int64_t n, int64_t begin, int64_t end);
void ReferenceActivate(Activation activation, const float* x, int64_t n, float* out);
void ReferenceActivateMul(Activation activation, const float* gate, const float* up, int64_t n, float* out);
void ReferenceActivateBack(Activation activation, const float* gate, const float* up, const float* dout, int64_t n,
                           float* dgate, float* dup);
void ReferenceSoftCap(float cap, float* x, int64_t n);
void ReferenceAddScaled(float factor, const float* from, int64_t n, float* to);
void ReferenceNarrowToBf16(const float* from, int64_t n, uint16_t* to);
void ReferenceRoundAtSite(SiteFormat site, const float* x, int64_t n, float* out);

}  // namespace bitwright::worker
