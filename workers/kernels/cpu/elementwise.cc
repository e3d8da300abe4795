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

void LayerNorm(const float* x, const float* weight, const float* bias, float eps, int64_t n, float* out) {
  const D d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  V sum = hn::Zero(d);
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) sum = hn::Add(sum, hn::LoadU(d, x + i));
  float total = hn::GetLane(hn::SumOfLanes(d, sum));
  for (; i < n; ++i) total += x[i];
  const float mean = total / static_cast<float>(n);
  const V m = hn::Set(d, mean);
  V squares = hn::Zero(d);
  for (i = 0; i + lanes <= n; i += lanes) {
    const V v = hn::Sub(hn::LoadU(d, x + i), m);
    squares = hn::MulAdd(v, v, squares);
  }
  float square = hn::GetLane(hn::SumOfLanes(d, squares));
  for (; i < n; ++i) square += (x[i] - mean) * (x[i] - mean);
  const float scale = 1.0f / std::sqrt(square / static_cast<float>(n) + eps);
  const V s = hn::Set(d, scale);
  for (i = 0; i + lanes <= n; i += lanes) {
    const V normed = hn::Mul(hn::Mul(hn::Sub(hn::LoadU(d, x + i), m), s), hn::LoadU(d, weight + i));
    hn::StoreU(bias == nullptr ? normed : hn::Add(normed, hn::LoadU(d, bias + i)), d, out + i);
  }
  for (; i < n; ++i) out[i] = (x[i] - mean) * scale * weight[i] + (bias == nullptr ? 0.0f : bias[i]);
}

void ApplyRope(float* x, int64_t rows, int64_t stride, int64_t heads, int64_t head_stride, int64_t rotary,
               const float* cos, const float* sin) {
  const D d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  const int64_t half = rotary / 2;
  for (int64_t r = 0; r < rows; ++r, cos += half, sin += half) {
    for (int64_t h = 0; h < heads; ++h) {
      float* low = x + r * stride + h * head_stride;
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

// Each activation on a vector and, for the elements at the end, on a number.
struct Silu {
  static V Of(D d, V x) {
    const V one = hn::Set(d, 1.0f);
    const V lowest = hn::Set(d, -88.0f), highest = hn::Set(d, 87.0f);
    // Exp is wrong above 104; below −88 the result is under 1e-36 anyway. NaN stays NaN by the division.
    const V e = hn::Exp(d, hn::Neg(hn::Max(hn::Min(x, highest), lowest)));
    return hn::IfThenZeroElse(hn::Lt(x, lowest), hn::Div(x, hn::Add(one, e)));
  }
  static float Of(float x) { return x / (1.0f + std::exp(-x)); }
};

struct GeluTanh {
  static constexpr float kFactor = 1.5957691216057308f;  // 2 √(2/π)
  static constexpr float kCube = 0.044715f;
  // 1 + tanh(y) = 2 / (1 + exp(−2y)): as SiLU, of another exponent.
  static V Of(D d, V x) {
    const V one = hn::Set(d, 1.0f);
    const V lowest = hn::Set(d, -88.0f), highest = hn::Set(d, 87.0f);
    const V cube = hn::Mul(hn::Mul(x, x), hn::Mul(x, hn::Set(d, kCube)));
    const V y = hn::Mul(hn::Add(x, cube), hn::Set(d, kFactor));
    const V e = hn::Exp(d, hn::Neg(hn::Max(hn::Min(y, highest), lowest)));
    return hn::IfThenZeroElse(hn::Lt(y, lowest), hn::Div(x, hn::Add(one, e)));
  }
  static float Of(float x) { return x / (1.0f + std::exp(-kFactor * (x + kCube * x * x * x))); }
};

struct Relu {
  static V Of(D d, V x) { return hn::Max(x, hn::Zero(d)); }
  static float Of(float x) { return std::max(x, 0.0f); }
};

template <typename F>
void Apply(const float* x, const float* factor, int64_t n, float* out) {
  const D d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    const V y = F::Of(d, hn::LoadU(d, x + i));
    hn::StoreU(factor == nullptr ? y : hn::Mul(y, hn::LoadU(d, factor + i)), d, out + i);
  }
  for (; i < n; ++i) out[i] = F::Of(x[i]) * (factor == nullptr ? 1.0f : factor[i]);
}

// factor may be null: 1.
void ActivateTimes(Activation activation, const float* x, const float* factor, int64_t n, float* out) {
  switch (activation) {
    case Activation::kSilu:
      return Apply<Silu>(x, factor, n, out);
    case Activation::kGeluTanh:
      return Apply<GeluTanh>(x, factor, n, out);
    case Activation::kRelu:
      return Apply<Relu>(x, factor, n, out);
    case Activation::kGelu:  // the library has no vector form of erf
      for (int64_t i = 0; i < n; ++i) {
        out[i] = 0.5f * x[i] * std::erfc(-x[i] * 0.70710678118654752f) * (factor == nullptr ? 1.0f : factor[i]);
      }
  }
}

// SiLU and the tanh form of GELU are x · σ(y(x)), so that the derivative is σ + x · σ · (1 − σ) · y'(x).
struct SiluExponent {
  static V Of(D, V x) { return x; }
  static V Slope(D d, V) { return hn::Set(d, 1.0f); }
};
struct GeluExponent {
  static V Of(D d, V x) {
    const V cube = hn::Mul(hn::Mul(x, x), hn::Mul(x, hn::Set(d, GeluTanh::kCube)));
    return hn::Mul(hn::Add(x, cube), hn::Set(d, GeluTanh::kFactor));
  }
  static V Slope(D d, V x) {
    const V square = hn::Mul(hn::Mul(x, x), hn::Set(d, 3 * GeluTanh::kCube));
    return hn::Mul(hn::Add(square, hn::Set(d, 1.0f)), hn::Set(d, GeluTanh::kFactor));
  }
};

// Whole vectors from the start on; returns how many elements that were.
template <typename Exponent>
int64_t SigmoidBack(const float* gate, const float* up, const float* dout, int64_t n, float* dgate, float* dup) {
  const D d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  const V one = hn::Set(d, 1.0f), lowest = hn::Set(d, -87.0f), highest = hn::Set(d, 87.0f);
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    const V x = hn::LoadU(d, gate + i), given = hn::LoadU(d, dout + i);
    const V y = hn::Max(hn::Min(Exponent::Of(d, x), highest), lowest);
    const V sigmoid = hn::Div(one, hn::Add(one, hn::Exp(d, hn::Neg(y))));
    const V curve = hn::Mul(hn::Mul(sigmoid, hn::Sub(one, sigmoid)), Exponent::Slope(d, x));
    const V slope = hn::Add(sigmoid, hn::Mul(x, curve));
    const V factor = up == nullptr ? given : hn::Mul(given, hn::LoadU(d, up + i));
    hn::StoreU(hn::Add(hn::LoadU(d, dgate + i), hn::Mul(factor, slope)), d, dgate + i);
    if (up == nullptr) continue;
    hn::StoreU(hn::Add(hn::LoadU(d, dup + i), hn::Mul(given, hn::Mul(x, sigmoid))), d, dup + i);
  }
  return i;
}

void ActivateBack(Activation activation, const float* gate, const float* up, const float* dout, int64_t n, float* dgate,
                  float* dup) {
  int64_t done = 0;
  if (activation == Activation::kSilu) done = SigmoidBack<SiluExponent>(gate, up, dout, n, dgate, dup);
  if (activation == Activation::kGeluTanh) done = SigmoidBack<GeluExponent>(gate, up, dout, n, dgate, dup);
  // The rest, and what has no vector form.
  ReferenceActivateBack(activation, gate + done, up == nullptr ? nullptr : up + done, dout + done, n - done,
                        dgate + done, up == nullptr ? nullptr : dup + done);
}

void SoftCap(float cap, float* x, int64_t n) {
  const D d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  const V c = hn::Set(d, cap), inverse = hn::Set(d, 1.0f / cap);
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    hn::StoreU(hn::Mul(hn::Tanh(d, hn::Mul(hn::LoadU(d, x + i), inverse)), c), d, x + i);
  }
  for (; i < n; ++i) x[i] = cap * std::tanh(x[i] / cap);
}

void AddScaled(float factor, const float* from, int64_t n, float* to) {
  const D d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  const V f = hn::Set(d, factor);
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    hn::StoreU(hn::Add(hn::LoadU(d, to + i), hn::Mul(f, hn::LoadU(d, from + i))), d, to + i);
  }
  for (; i < n; ++i) to[i] += factor * from[i];
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

void RoundAtSite(SiteFormat site, const float* x, int64_t n, float* out) {
  const D d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  V top = hn::Zero(d);
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) top = hn::Max(top, hn::Abs(hn::LoadU(d, x + i)));
  float most = hn::GetLane(hn::MaxOfLanes(d, top));
  for (; i < n; ++i) most = std::max(most, std::abs(x[i]));
  const float scale = site.Scale(most);
  const V s = hn::Set(d, scale), least = hn::Set(d, site.Least()), greatest = hn::Set(d, site.Most());
  for (i = 0; i + lanes <= n; i += lanes) {
    const V scaled = hn::Div(hn::LoadU(d, x + i), s);
    hn::StoreU(hn::Mul(hn::Round(hn::Min(hn::Max(scaled, least), greatest)), s), d, out + i);
  }
  for (; i < n; ++i) out[i] = std::nearbyint(std::clamp(x[i] / scale, site.Least(), site.Most())) * scale;
}

}  // namespace
}  // namespace bitwright::worker::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bitwright::worker {

HWY_EXPORT(RmsNorm);
HWY_EXPORT(LayerNorm);
HWY_EXPORT(ApplyRope);
HWY_EXPORT(Softmax);
HWY_EXPORT(ActivateTimes);
HWY_EXPORT(ActivateBack);
HWY_EXPORT(SoftCap);
HWY_EXPORT(AddScaled);
HWY_EXPORT(NarrowToBf16);
HWY_EXPORT(RoundAtSite);

void RmsNorm(const float* x, const float* weight, float eps, int64_t rows, int64_t n, int64_t stride, float* out) {
  HWY_DYNAMIC_DISPATCH(RmsNorm)(x, weight, eps, rows, n, stride, out);
}
void LayerNorm(const float* x, const float* weight, const float* bias, float eps, int64_t n, float* out) {
  HWY_DYNAMIC_DISPATCH(LayerNorm)(x, weight, bias, eps, n, out);
}
void ApplyRope(float* x, int64_t rows, int64_t stride, int64_t heads, int64_t head_stride, int64_t rotary,
               const float* cos, const float* sin) {
  HWY_DYNAMIC_DISPATCH(ApplyRope)(x, rows, stride, heads, head_stride, rotary, cos, sin);
}
// Few models have it: the plain loop does.
void ApplyRopeInterleaved(float* x, int64_t rows, int64_t stride, int64_t heads, int64_t head_stride, int64_t rotary,
                          const float* cos, const float* sin) {
  ReferenceApplyRopeInterleaved(x, rows, stride, heads, head_stride, rotary, cos, sin);
}
void Softmax(float* x, int64_t n, int64_t begin, int64_t end) { HWY_DYNAMIC_DISPATCH(Softmax)(x, n, begin, end); }
void Activate(Activation activation, const float* x, int64_t n, float* out) {
  HWY_DYNAMIC_DISPATCH(ActivateTimes)(activation, x, nullptr, n, out);
}
void ActivateMul(Activation activation, const float* gate, const float* up, int64_t n, float* out) {
  HWY_DYNAMIC_DISPATCH(ActivateTimes)(activation, gate, up, n, out);
}
void ActivateBack(Activation activation, const float* gate, const float* up, const float* dout, int64_t n, float* dgate,
                  float* dup) {
  HWY_DYNAMIC_DISPATCH(ActivateBack)(activation, gate, up, dout, n, dgate, dup);
}
void SoftCap(float cap, float* x, int64_t n) { HWY_DYNAMIC_DISPATCH(SoftCap)(cap, x, n); }
void AddScaled(float factor, const float* from, int64_t n, float* to) {
  HWY_DYNAMIC_DISPATCH(AddScaled)(factor, from, n, to);
}
void NarrowToBf16(const float* from, int64_t n, uint16_t* to) { HWY_DYNAMIC_DISPATCH(NarrowToBf16)(from, n, to); }
void RoundAtSite(SiteFormat site, const float* x, int64_t n, float* out) {
  HWY_DYNAMIC_DISPATCH(RoundAtSite)(site, x, n, out);
}

}  // namespace bitwright::worker
#endif
