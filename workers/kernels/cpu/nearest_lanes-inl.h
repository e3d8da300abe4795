// Included once per instruction set, after hwy/highway.h, by sources that include hwy/foreach_target.h.
#if defined(BITWRIGHT_NEAREST_LANES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef BITWRIGHT_NEAREST_LANES_INL_H_
#undef BITWRIGHT_NEAREST_LANES_INL_H_
#else
#define BITWRIGHT_NEAREST_LANES_INL_H_
#endif

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

// The nearest value of the codebook to x.
template <bool consecutive>
HWY_INLINE Near NearestOf(const LaneGrid& grid, V x) {
  const D d;
  const V first = hn::Set(d, grid.codebook[0]);
  if constexpr (consecutive) {
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

template <DType type>
HWY_INLINE V ValueOf(Near near, V scale, V minimum) {
  return Stored<type>(hn::Sub(hn::Mul(near.of_codebook, scale), minimum));
}

HWY_INLINE void StoreIndices(Near near, uint8_t* to) {
  const hn::Rebind<uint8_t, D> db;
  hn::StoreU(hn::DemoteTo(db, hn::ConvertTo(hn::RebindToSigned<D>(), near.code)), db, to);
}

// Calls call<consecutive, type>() as the grid is.
template <typename F>
void WithKind(const LaneGrid& grid, const F& call) {
  const auto typed = [&]<DType type>() {
    if (grid.consecutive) {
      call.template operator()<true, type>();
    } else {
      call.template operator()<false, type>();
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
