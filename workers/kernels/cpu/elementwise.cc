#include "workers/kernels/elementwise.h"

#include <algorithm>
#include <cmath>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "workers/kernels/cpu/elementwise.cc"
#include "hwy/foreach_target.h"  // compiles this file once per instruction set
#include "hwy/highway.h"

#include "hwy/contrib/math/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bitwright::worker::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;
using D = hn::ScalableTag<float>;
using V = hn::Vec<D>;

void RmsNorm(const float* x, const float* weight, float eps, int64_t rows, int64_t n, int64_t stride, float* out) {
  const D d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  for (int64_t r = 0; r < rows; ++r, x += stride, out += stride) {
    V sum = hn::Zero(d);
    int64_t i = 0;
    for (; i + lanes <= n; i += lanes) {
      const V v = hn::LoadU(d, x + i);
      sum = hn::MulAdd(v, v, sum);
    }
    float total = hn::GetLane(hn::SumOfLanes(d, sum));
    for (; i < n; ++i) total += x[i] * x[i];
    const float scale = 1.0f / std::sqrt(total / static_cast<float>(n) + eps);
    const V s = hn::Set(d, scale);
    for (i = 0; i + lanes <= n; i += lanes) {
      hn::StoreU(hn::Mul(hn::Mul(hn::LoadU(d, x + i), s), hn::LoadU(d, weight + i)), d, out + i);
    }
    for (; i < n; ++i) out[i] = x[i] * scale * weight[i];
  }
}

void ApplyRope(float* x, int64_t rows, int64_t stride, int64_t heads, int64_t dim, const float* cos, const float* sin) {
  const D d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  const int64_t half = dim / 2;
  for (int64_t r = 0; r < rows; ++r, cos += half, sin += half) {
    for (int64_t h = 0; h < heads; ++h) {
      float* low = x + r * stride + h * dim;
      float* high = low + half;
      int64_t i = 0;
      for (; i + lanes <= half; i += lanes) {
        const V a = hn::LoadU(d, low + i), b = hn::LoadU(d, high + i);
        const V c = hn::LoadU(d, cos + i), s = hn::LoadU(d, sin + i);
        hn::StoreU(hn::Sub(hn::Mul(a, c), hn::Mul(b, s)), d, low + i);
        hn::StoreU(hn::Add(hn::Mul(b, c), hn::Mul(a, s)), d, high + i);
      }
      for (; i < half; ++i) {
        const float a = low[i], b = high[i];
        low[i] = a * cos[i] - b * sin[i];
        high[i] = b * cos[i] + a * sin[i];
      }
    }
  }
}

void Softmax(float* x, int64_t n, int64_t begin, int64_t end) {
  const D d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  V top = hn::Set(d, x[begin]);
  int64_t i = begin;
  for (; i + lanes <= end; i += lanes) top = hn::Max(top, hn::LoadU(d, x + i));
  float peak = hn::GetLane(hn::MaxOfLanes(d, top));
  for (; i < end; ++i) peak = std::max(peak, x[i]);
  const V p = hn::Set(d, peak);
  V sum = hn::Zero(d);
  for (i = begin; i + lanes <= end; i += lanes) {
    const V e = hn::Exp(d, hn::Sub(hn::LoadU(d, x + i), p));
    hn::StoreU(e, d, x + i);
    sum = hn::Add(sum, e);
  }
  float total = hn::GetLane(hn::SumOfLanes(d, sum));
  for (; i < end; ++i) total += x[i] = std::exp(x[i] - peak);
  const float inverse = 1.0f / total;
  const V s = hn::Set(d, inverse);
  for (i = begin; i + lanes <= end; i += lanes) hn::StoreU(hn::Mul(hn::LoadU(d, x + i), s), d, x + i);
  for (; i < end; ++i) x[i] *= inverse;
  std::fill(x, x + begin, 0.0f);
  std::fill(x + end, x + n, 0.0f);
}

void SiluMul(float* gate, const float* up, int64_t n) {
  const D d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  const V one = hn::Set(d, 1.0f);
  const V lowest = hn::Set(d, -88.0f), highest = hn::Set(d, 87.0f);
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    const V g = hn::LoadU(d, gate + i);
    // Exp is wrong above 104; below −88 the result is under 1e-36 anyway. NaN stays NaN by the division.
    const V e = hn::Exp(d, hn::Neg(hn::Max(hn::Min(g, highest), lowest)));
    const V silu = hn::IfThenZeroElse(hn::Lt(g, lowest), hn::Div(g, hn::Add(one, e)));
    hn::StoreU(hn::Mul(silu, hn::LoadU(d, up + i)), d, gate + i);
  }
  for (; i < n; ++i) gate[i] = gate[i] / (1.0f + std::exp(-gate[i])) * up[i];
}

void AddInto(float* x, const float* y, int64_t n) {
  const D d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) hn::StoreU(hn::Add(hn::LoadU(d, x + i), hn::LoadU(d, y + i)), d, x + i);
  for (; i < n; ++i) x[i] += y[i];
}

void NarrowToBf16(const float* from, int64_t n, uint16_t* to) {
  const hn::ScalableTag<uint32_t> du;
  const hn::Rebind<uint16_t, decltype(du)> dh;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(du));
  const uint32_t* bits = reinterpret_cast<const uint32_t*>(from);
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    const auto v = hn::LoadU(du, bits + i);
    const auto odd = hn::And(hn::ShiftRight<16>(v), hn::Set(du, 1u));
    const auto rounded = hn::ShiftRight<16>(hn::Add(v, hn::Add(odd, hn::Set(du, 0x7fffu))));
    hn::StoreU(hn::TruncateTo(dh, rounded), dh, to + i);
  }
  for (; i < n; ++i) to[i] = static_cast<uint16_t>((bits[i] + 0x7fffu + ((bits[i] >> 16) & 1u)) >> 16);
}

}  // namespace
}  // namespace bitwright::worker::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bitwright::worker {

HWY_EXPORT(RmsNorm);
HWY_EXPORT(ApplyRope);
HWY_EXPORT(Softmax);
HWY_EXPORT(SiluMul);
HWY_EXPORT(AddInto);
HWY_EXPORT(NarrowToBf16);

void RmsNorm(const float* x, const float* weight, float eps, int64_t rows, int64_t n, int64_t stride, float* out) {
  HWY_DYNAMIC_DISPATCH(RmsNorm)(x, weight, eps, rows, n, stride, out);
}
void ApplyRope(float* x, int64_t rows, int64_t stride, int64_t heads, int64_t dim, const float* cos, const float* sin) {
  HWY_DYNAMIC_DISPATCH(ApplyRope)(x, rows, stride, heads, dim, cos, sin);
}
void Softmax(float* x, int64_t n, int64_t begin, int64_t end) { HWY_DYNAMIC_DISPATCH(Softmax)(x, n, begin, end); }
void SiluMul(float* gate, const float* up, int64_t n) { HWY_DYNAMIC_DISPATCH(SiluMul)(gate, up, n); }
void AddInto(float* x, const float* y, int64_t n) { HWY_DYNAMIC_DISPATCH(AddInto)(x, y, n); }
void AddBias(float* x, const float* bias, int64_t rows, int64_t n) {
  for (int64_t r = 0; r < rows; ++r) AddInto(x + r * n, bias, n);
}
void NarrowToBf16(const float* from, int64_t n, uint16_t* to) { HWY_DYNAMIC_DISPATCH(NarrowToBf16)(from, n, to); }

}  // namespace bitwright::worker
#endif
