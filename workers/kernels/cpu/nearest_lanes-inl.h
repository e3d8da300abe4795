// Included once per instruction set, after hwy/highway.h, by sources that include hwy/foreach_target.h.
#if defined(BITWRIGHT_NEAREST_LANES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef BITWRIGHT_NEAREST_LANES_INL_H_
#undef BITWRIGHT_NEAREST_LANES_INL_H_
#else
#define BITWRIGHT_NEAREST_LANES_INL_H_
#endif

#include <cmath>

#include "workers/kernels/cpu/lane_grid.h"

HWY_BEFORE_NAMESPACE();
namespace bitwright::worker::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using D = hn::CappedTag<float, 16>;
using V = hn::Vec<D>;

inline int64_t Width() { return static_cast<int64_t>(hn::Lanes(D())); }

// The value as storage keeps it: vector forms of RoundToBf16 and RoundToF16 in workers/tensor/stored_float.h.
template <DType type>
HWY_INLINE V Stored(V value) {
  const D d;
  const hn::RebindToUnsigned<D> du;
  if constexpr (type == DType::kF32) return value;
  const auto bits = hn::BitCast(du, value);
  if constexpr (type == DType::kBF16) {
    const auto odd = hn::And(hn::ShiftRight<16>(bits), hn::Set(du, 1));
    return hn::BitCast(d, hn::And(hn::Add(hn::Add(bits, hn::Set(du, 0x7fffu)), odd), hn::Set(du, 0xffff0000u)));
  }
  const V magnitude = hn::Abs(value);
  const auto mbits = hn::BitCast(du, magnitude);
  const auto odd = hn::And(hn::ShiftRight<13>(mbits), hn::Set(du, 1));
  const V normal = hn::BitCast(d, hn::And(hn::Add(hn::Add(mbits, hn::Set(du, 0xfffu)), odd), hn::Set(du, ~0x1fffu)));
  const V half = hn::Set(d, 0.5f);
  V result = hn::IfThenElse(hn::Lt(magnitude, hn::Set(d, 0x1p-14f)), hn::Sub(hn::Add(magnitude, half), half), normal);
  result = hn::IfThenElse(hn::Ge(magnitude, hn::Set(d, 65520.0f)), hn::BitCast(d, hn::Set(du, 0x7f800000u)), result);
  return hn::CopySign(result, value);
}

// A code and its value.
struct Near {
  V code;
  V of_codebook;
};

// x to so many bits of fraction, half to even, as all numbers from least_power on have them; those below share its
// step. Adding the number whose last place is the step, and taking it off again, rounds. A number's code is that many
// steps of its binade, counted on through all binades from 0, which is the codebook's middle.
HWY_INLINE Near NearestSmallFloat(const LaneGrid& grid, V x) {
  const D d;
  const hn::RebindToUnsigned<D> du;
  const hn::RebindToSigned<D> di;
  const V most = hn::Set(d, grid.codebook[grid.count - 1]), least = hn::Set(d, grid.least_power);
  const V magnitude = hn::Min(hn::Abs(x), most);
  const V power = hn::BitCast(d, hn::And(hn::BitCast(du, hn::Max(magnitude, least)), hn::Set(du, 0x7f800000u)));
  const V places = hn::Mul(power, hn::Set(d, std::ldexp(1.0f, 23 - grid.fraction_bits)));
  const V rounded = hn::Sub(hn::Add(magnitude, places), places);
  const int dropped = 23 - grid.fraction_bits;
  const auto first_code =
      hn::Sub(hn::ShiftRightSame(hn::BitCast(di, least), dropped), hn::Set(di, 1 << grid.fraction_bits));
  const V normal = hn::ConvertTo(d, hn::Sub(hn::ShiftRightSame(hn::BitCast(di, rounded), dropped), first_code));
  const V small = hn::Mul(rounded, hn::Set(d, static_cast<float>(1 << grid.fraction_bits) / grid.least_power));
  const V steps = hn::IfThenElse(hn::Lt(rounded, least), small, normal);
  const int32_t middle = grid.count / 2;
  return {hn::Add(hn::Set(d, static_cast<float>(middle)), hn::CopySign(steps, x)), hn::CopySign(rounded, x)};
}

// The nearest value of the codebook to x.
template <LaneSearch search>
HWY_INLINE Near NearestOf(const LaneGrid& grid, V x) {
  const D d;
  if constexpr (search == LaneSearch::kSmallFloats) return NearestSmallFloat(grid, x);
  const V first = hn::Set(d, grid.codebook[0]);
  if constexpr (search == LaneSearch::kIntegers || search == LaneSearch::kZeroPoints) {
    const V last = hn::Set(d, static_cast<float>(grid.count - 1));
    const V code = hn::Min(hn::Max(hn::Round(hn::Sub(x, first)), hn::Zero(d)), last);
    return {code, hn::Add(first, code)};
  }
  Near near{hn::Zero(d), first};
  const V one = hn::Set(d, 1.0f);
  for (int i = 0; i + 1 < grid.count; ++i) {
    const auto above = hn::Gt(x, hn::Set(d, grid.middle[i]));
    near.code = hn::Add(near.code, hn::IfThenElseZero(above, one));
    near.of_codebook = hn::Add(near.of_codebook, hn::IfThenElseZero(above, hn::Set(d, grid.step[i])));
  }
  return near;
}

// 1 / scale; 0 where the scale is 0, so that the code is then that of 0.
HWY_INLINE V InverseScale(V scale) {
  const D d;
  const auto none = hn::Eq(scale, hn::Zero(d));
  return hn::IfThenZeroElse(none, hn::Div(hn::Set(d, 1.0f), hn::IfThenElse(none, hn::Set(d, 1.0f), scale)));
}

// The code whose value is nearest to z.
template <LaneSearch search>
HWY_INLINE Near NearestOf(const LaneGrid& grid, V z, V inverse_scale, V minimum) {
  if constexpr (search == LaneSearch::kZeroPoints) {
    return NearestOf<search>(grid, hn::MulAdd(z, inverse_scale, minimum));
  }
  return NearestOf<search>(grid, hn::Mul(hn::Add(z, minimum), inverse_scale));
}

template <LaneSearch search, DType type>
HWY_INLINE V ValueOf(Near near, V scale, V minimum) {
  if constexpr (search == LaneSearch::kZeroPoints) {
    return Stored<type>(hn::Mul(hn::Sub(near.of_codebook, minimum), scale));
  }
  return Stored<type>(hn::Sub(hn::Mul(near.of_codebook, scale), minimum));
}

HWY_INLINE void StoreIndices(Near near, uint8_t* to) {
  const hn::Rebind<uint8_t, D> db;
  hn::StoreU(hn::DemoteTo(db, hn::ConvertTo(hn::RebindToSigned<D>(), near.code)), db, to);
}

// Calls call<search, type>() as the grid is.
template <typename F>
void WithKind(const LaneGrid& grid, const F& call) {
  const auto typed = [&]<DType type>() {
    switch (grid.search) {
      case LaneSearch::kSteps:
        return call.template operator()<LaneSearch::kSteps, type>();
      case LaneSearch::kIntegers:
        return call.template operator()<LaneSearch::kIntegers, type>();
      case LaneSearch::kZeroPoints:
        return call.template operator()<LaneSearch::kZeroPoints, type>();
      case LaneSearch::kSmallFloats:
        return call.template operator()<LaneSearch::kSmallFloats, type>();
    }
  };
  if (grid.type == DType::kBF16) return typed.template operator()<DType::kBF16>();
  if (grid.type == DType::kF16) return typed.template operator()<DType::kF16>();
  typed.template operator()<DType::kF32>();
}

// NOLINTNEXTLINE(google-readability-namespace-comments)
}  // namespace bitwright::worker::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
