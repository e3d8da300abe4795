#include "workers/kernels/elementwise.h"

#include <algorithm>
#include <cmath>
#include <numbers>

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

void ReferenceLayerNorm(const float* x, const float* weight, const float* bias, float eps, int64_t n, float* out) {
  double sum = 0, squares = 0;
  for (int64_t i = 0; i < n; ++i) sum += x[i];
  const double mean = sum / static_cast<double>(n);
  for (int64_t i = 0; i < n; ++i) squares += (x[i] - mean) * (x[i] - mean);
  const double scale = 1 / std::sqrt(squares / static_cast<double>(n) + eps);
  for (int64_t i = 0; i < n; ++i) {
    out[i] = static_cast<float>((x[i] - mean) * scale * weight[i] + (bias == nullptr ? 0.0f : bias[i]));
  }
}

namespace {

// `step` is the distance between the two of a pair, `next` that between pairs.
void RotatePairs(float* x, int64_t rows, int64_t stride, int64_t heads, int64_t head_stride, int64_t pairs,
                 int64_t step, int64_t next, const float* cos, const float* sin) {
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t h = 0; h < heads; ++h) {
      float* head = x + r * stride + h * head_stride;
      for (int64_t i = 0; i < pairs; ++i) {
        const float a = head[i * next], b = head[i * next + step], c = cos[r * pairs + i], s = sin[r * pairs + i];
        head[i * next] = a * c - b * s;
        head[i * next + step] = b * c + a * s;
      }
    }
  }
}

double ActivationOf(Activation activation, double x) {
  switch (activation) {
    case Activation::kSilu:
      return x / (1 + std::exp(-x));
    case Activation::kGelu:
      return x / 2 * std::erfc(-x / std::numbers::sqrt2);  // 1 + erf(y), exact where erf is near −1
    case Activation::kGeluTanh:                            // 1 + tanh(y) = 2 / (1 + exp(−2y))
      return x / (1 + std::exp(-2 * std::sqrt(2 / std::numbers::pi) * (x + 0.044715 * x * x * x)));
    case Activation::kRelu:
      return x > 0 ? x : 0;
  }
  return x;
}

double DerivativeOf(Activation activation, double x) {
  const double sigmoid = 1 / (1 + std::exp(-x));
  switch (activation) {
    case Activation::kSilu:
      return sigmoid * (1 + x * (1 - sigmoid));
    case Activation::kGelu:
      return std::erfc(-x / std::numbers::sqrt2) / 2 + x * std::exp(-x * x / 2) / std::sqrt(2 * std::numbers::pi);
    case Activation::kGeluTanh: {
      const double factor = std::sqrt(2 / std::numbers::pi);
      const double t = std::tanh(factor * (x + 0.044715 * x * x * x));
      return (1 + t) / 2 + x / 2 * (1 - t * t) * factor * (1 + 3 * 0.044715 * x * x);
    }
    case Activation::kRelu:
      return x > 0 ? 1 : 0;
  }
  return 1;
}

}  // namespace

void ReferenceApplyRope(float* x, int64_t rows, int64_t stride, int64_t heads, int64_t head_stride, int64_t rotary,
                        const float* cos, const float* sin) {
  RotatePairs(x, rows, stride, heads, head_stride, rotary / 2, rotary / 2, 1, cos, sin);
}

void ReferenceApplyRopeInterleaved(float* x, int64_t rows, int64_t stride, int64_t heads, int64_t head_stride,
                                   int64_t rotary, const float* cos, const float* sin) {
  RotatePairs(x, rows, stride, heads, head_stride, rotary / 2, 1, 2, cos, sin);
}

void ReferenceSoftmax(float* x, int64_t n, int64_t begin, int64_t end) {
  const float top = *std::max_element(x + begin, x + end);
  double sum = 0;
  for (int64_t i = begin; i < end; ++i) sum += std::exp(double{x[i]} - top);
  for (int64_t i = 0; i < n; ++i) {
    x[i] = i < begin || i >= end ? 0.0f : static_cast<float>(std::exp(double{x[i]} - top) / sum);
  }
}

void ReferenceActivate(Activation activation, const float* x, int64_t n, float* out) {
  for (int64_t i = 0; i < n; ++i) out[i] = static_cast<float>(ActivationOf(activation, x[i]));
}

void ReferenceActivateMul(Activation activation, const float* gate, const float* up, int64_t n, float* out) {
  for (int64_t i = 0; i < n; ++i) out[i] = static_cast<float>(ActivationOf(activation, gate[i]) * up[i]);
}

void ReferenceActivateBack(Activation activation, const float* gate, const float* up, const float* dout, int64_t n,
                           float* dgate, float* dup) {
  for (int64_t i = 0; i < n; ++i) {
    dgate[i] += static_cast<float>(DerivativeOf(activation, gate[i]) * dout[i] * (up == nullptr ? 1.0f : up[i]));
    if (up != nullptr) dup[i] += static_cast<float>(ActivationOf(activation, gate[i]) * dout[i]);
  }
}

void ReferenceSoftCap(float cap, float* x, int64_t n) {
  for (int64_t i = 0; i < n; ++i) x[i] = static_cast<float>(cap * std::tanh(double{x[i]} / cap));
}

void ReferenceAddScaled(float factor, const float* from, int64_t n, float* to) {
  for (int64_t i = 0; i < n; ++i) to[i] += factor * from[i];
}

void ReferenceNarrowToBf16(const float* from, int64_t n, uint16_t* to) {
  for (int64_t i = 0; i < n; ++i) to[i] = FloatToBf16(from[i]);
}

void ReferenceRoundAtSite(SiteFormat site, const float* x, int64_t n, float* out) {
  float most = 0;
  for (int64_t i = 0; i < n; ++i) most = std::max(most, std::abs(x[i]));
  const float scale = site.Scale(most);
  for (int64_t i = 0; i < n; ++i) {
    out[i] = std::nearbyint(std::clamp(x[i] / scale, site.Least(), site.Most())) * scale;
  }
}

}  // namespace bitwright::worker
