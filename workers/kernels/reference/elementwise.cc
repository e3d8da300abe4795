#include "workers/kernels/elementwise.h"

#include <algorithm>
#include <cmath>

#include "workers/tensor/float16.h"

namespace bitwright::worker {

void ReferenceRmsNorm(const float* x, const float* weight, float eps, int64_t rows, int64_t n, int64_t stride,
                      float* out) {
  for (int64_t r = 0; r < rows; ++r, x += stride, out += stride) {
    double sum = 0;
    for (int64_t i = 0; i < n; ++i) sum += double{x[i]} * x[i];
    const double scale = 1 / std::sqrt(sum / static_cast<double>(n) + eps);
    for (int64_t i = 0; i < n; ++i) out[i] = static_cast<float>(x[i] * scale * weight[i]);
  }
}

void ReferenceApplyRope(float* x, int64_t rows, int64_t stride, int64_t heads, int64_t dim, const float* cos,
                        const float* sin) {
  const int64_t half = dim / 2;
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t h = 0; h < heads; ++h) {
      float* head = x + r * stride + h * dim;
      for (int64_t i = 0; i < half; ++i) {
        const float a = head[i], b = head[half + i], c = cos[r * half + i], s = sin[r * half + i];
        head[i] = a * c - b * s;
        head[half + i] = b * c + a * s;
      }
    }
  }
}

void ReferenceSoftmax(float* x, int64_t n, int64_t begin, int64_t end) {
  const float top = *std::max_element(x + begin, x + end);
  double sum = 0;
  for (int64_t i = begin; i < end; ++i) sum += std::exp(double{x[i]} - top);
  for (int64_t i = 0; i < n; ++i) {
    x[i] = i < begin || i >= end ? 0.0f : static_cast<float>(std::exp(double{x[i]} - top) / sum);
  }
}

void ReferenceSiluMul(float* gate, const float* up, int64_t n) {
  for (int64_t i = 0; i < n; ++i) gate[i] = static_cast<float>(gate[i] / (1 + std::exp(-double{gate[i]})) * up[i]);
}

void ReferenceAddBias(float* x, const float* bias, int64_t rows, int64_t n) {
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t i = 0; i < n; ++i) x[r * n + i] += bias[i];
  }
}

void ReferenceAddInto(float* x, const float* y, int64_t n) {
  for (int64_t i = 0; i < n; ++i) x[i] += y[i];
}

void ReferenceNarrowToBf16(const float* from, int64_t n, uint16_t* to) {
  for (int64_t i = 0; i < n; ++i) to[i] = FloatToBf16(from[i]);
}

}  // namespace bitwright::worker
