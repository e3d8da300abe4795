#include "workers/kernels/cpu/row_lanes.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "workers/kernels/cpu/row_lanes.cc"
#include "hwy/foreach_target.h"  // compiles this file once per instruction set
#include "hwy/highway.h"
#include "workers/kernels/cpu/nearest_lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bitwright::worker::HWY_NAMESPACE {
namespace {

// Columns that are rounded one after the other before their errors reach the rest of the block in one batched update.
// The dependent chain is then at most 16 long, and the update reuses each loaded error for four columns.
constexpr int64_t kSub = 16;

void LaneAbsMax(const float* w, int64_t columns, float* absmax) {
  const D d;
  for (int64_t r = 0; r < kLaneRows; r += Width()) {
    V most = hn::Zero(d);
    for (int64_t j = 0; j < columns; ++j) most = hn::Max(most, hn::Abs(hn::Load(d, w + j * kLaneRows + r)));
    hn::Store(most, d, absmax + r);
  }
}

// The weighted squared error of four candidate scales, measured in one pass over the weights of the lanes at r.
struct Candidates {
  V scale[4];
  V error[4];
};

HWY_INLINE void MeasureScales(const float* w, int64_t columns, const float* weights, V low, V high, Candidates& c) {
  const D d;
  V inverse[4];
  for (int k = 0; k < 4; ++k) {
    inverse[k] = hn::Div(hn::Set(d, 1.0f), c.scale[k]);
    c.error[k] = hn::Zero(d);
  }
  for (int64_t j = 0; j < columns; ++j) {
    const V value = hn::Load(d, w + j * kLaneRows);
    const V weight = hn::Set(d, weights[j]);
    for (int k = 0; k < 4; ++k) {
      const V code = hn::Min(hn::Max(hn::Round(hn::Mul(value, inverse[k])), low), high);
      const V miss = hn::NegMulAdd(code, c.scale[k], value);
      c.error[k] = hn::MulAdd(hn::Mul(miss, miss), weight, c.error[k]);
    }
  }
}

template <DType type>
void SearchScalesAs(const float* w, int64_t columns, const float* weights, const float* factors, int64_t count,
                    int bits, const float* start, float* scales) {
  const D d;
  const V low = hn::Set(d, static_cast<float>(IntGrid{bits}.MinCode()));
  const V high = hn::Set(d, static_cast<float>(IntGrid{bits}.MaxCode()));
  for (int64_t r = 0; r < kLaneRows; r += Width()) {
    const V first = hn::Load(d, start + r);
    V best = Stored<type>(first);
    V least = hn::Set(d, 3.0e38f);
    for (int64_t k = 0; k < count; k += 4) {
      Candidates c;
      for (int64_t i = 0; i < 4; ++i) {
        c.scale[i] = Stored<type>(hn::Mul(first, hn::Set(d, factors[std::min(k + i, count - 1)])));
      }
      MeasureScales(w + r, columns, weights, low, high, c);
      for (int i = 0; i < 4; ++i) {  // a scale that vanished in storage gives NaN and never wins
        const auto better = hn::Lt(c.error[i], least);
        best = hn::IfThenElse(better, c.scale[i], best);
        least = hn::IfThenElse(better, c.error[i], least);
      }
    }
    hn::Store(best, d, scales + r);
  }
}

void SearchLaneScales(const float* w, int64_t columns, const float* weights, const float* factors, int64_t count,
                      const IntGrid& grid, const float* start, float* scales) {
  const auto search = grid.type == DType::kBF16  ? SearchScalesAs<DType::kBF16>
                      : grid.type == DType::kF16 ? SearchScalesAs<DType::kF16>
                                                 : SearchScalesAs<DType::kF32>;
  search(w, columns, weights, factors, count, grid.bits, start, scales);
}

HWY_INLINE void StoreCodes(V code, int8_t* to) {
  const hn::RebindToSigned<D> di;
  const hn::Rebind<int8_t, D> db;
  hn::StoreU(hn::DemoteTo(db, hn::ConvertTo(di, code)), db, to);
}

template <DType quotient>
void RoundNearestAs(const float* w, int64_t columns, const float* scales, int bits, int8_t* codes) {
  const D d;
  const V low = hn::Set(d, static_cast<float>(IntGrid{bits}.MinCode()));
  const V high = hn::Set(d, static_cast<float>(IntGrid{bits}.MaxCode()));
  for (int64_t j = 0; j < columns; ++j) {
    for (int64_t r = 0; r < kLaneRows; r += Width()) {
      const V ratio = Stored<quotient>(hn::Div(hn::Load(d, w + j * kLaneRows + r), hn::Load(d, scales + r)));
      StoreCodes(hn::Round(hn::Min(hn::Max(ratio, low), high)), codes + j * kLaneRows + r);
    }
  }
}

void RoundLanesToNearest(const float* w, int64_t columns, const float* scales, int bits, DType quotient_type,
                         int8_t* codes) {
  const auto round = quotient_type == DType::kBF16  ? RoundNearestAs<DType::kBF16>
                     : quotient_type == DType::kF16 ? RoundNearestAs<DType::kF16>
                                                    : RoundNearestAs<DType::kF32>;
  round(w, columns, scales, bits, codes);
}

// to_j ± Σ_{i in [i0, i1)} e_i M_ij for the four columns from j. Their eight sums stay in registers, so that each error
// is loaded once for four columns.
template <bool subtract>
HWY_INLINE void AddFour(const float* e, const float* m, int64_t i0, int64_t i1, int64_t j, float* to) {
  const D d;
  const auto add = [](V a, V b, V c) { return subtract ? hn::NegMulAdd(a, b, c) : hn::MulAdd(a, b, c); };
  const float* m0 = m + j * kLaneBlock;
  for (int64_t r = 0; r < kLaneRows; r += 2 * Width()) {
    float* out = to + j * kLaneRows + r;
    V a[8];
    for (int k = 0; k < 4; ++k) {
      a[2 * k] = hn::Load(d, out + k * kLaneRows);
      a[2 * k + 1] = hn::Load(d, out + k * kLaneRows + Width());
    }
    for (int64_t i = i0; i < i1; ++i) {
      const V x = hn::Load(d, e + i * kLaneRows + r), y = hn::Load(d, e + i * kLaneRows + r + Width());
      for (int k = 0; k < 4; ++k) {
        const V f = hn::Set(d, m0[k * kLaneBlock + i]);
        a[2 * k] = add(x, f, a[2 * k]);
        a[2 * k + 1] = add(y, f, a[2 * k + 1]);
      }
    }
    for (int k = 0; k < 4; ++k) {
      hn::Store(a[2 * k], d, out + k * kLaneRows);
      hn::Store(a[2 * k + 1], d, out + k * kLaneRows + Width());
    }
  }
}

template <bool subtract>
HWY_INLINE void AddOne(const float* e, const float* m, int64_t i0, int64_t i1, int64_t j, float* to) {
  const D d;
  for (int64_t r = 0; r < kLaneRows; r += Width()) {
    V a = hn::Load(d, to + j * kLaneRows + r);
    for (int64_t i = i0; i < i1; ++i) {
      const V x = hn::Load(d, e + i * kLaneRows + r), f = hn::Set(d, m[j * kLaneBlock + i]);
      a = subtract ? hn::NegMulAdd(x, f, a) : hn::MulAdd(x, f, a);
    }
    hn::Store(a, d, to + j * kLaneRows + r);
  }
}

template <bool subtract>
void AddRange(const float* e, const float* m, int64_t i0, int64_t i1, int64_t j0, int64_t j1, float* to) {
  if (i0 == i1) return;
  int64_t j = j0;
  for (; j + 4 <= j1; j += 4) AddFour<subtract>(e, m, i0, i1, j, to);
  for (; j < j1; ++j) AddOne<subtract>(e, m, i0, i1, j, to);
}

void AddEarlierErrors(const LdlqBlock& b, int64_t begin, int64_t end) {
  AddRange<false>(b.e, b.m, 0, begin, begin, end, b.a);
}

void StandingValues(const LdlqBlock& b, int64_t begin, int64_t end, float* spread, float* standing) {
  const D d;
  std::copy(b.a + begin * kLaneRows, b.a + end * kLaneRows, spread + begin * kLaneRows);
  for (int64_t s = begin; s < end; s += kSub) {
    const int64_t stop = std::min(s + kSub, end);
    AddRange<true>(spread, b.m, begin, s, s, stop, spread);
    for (int64_t j = s; j < stop; ++j) AddOne<true>(spread, b.m, s, j, j, spread);
  }
  for (int64_t i = begin * kLaneRows; i < end * kLaneRows; i += Width()) {
    hn::Store(hn::Add(hn::Load(d, b.w + i), hn::Load(d, spread + i)), d, standing + i);
  }
}

struct Sums {
  float* loss;   // [kLaneRows]
  float* error;  // [kLaneRows]
};

// What a column is rounded to: symmetric integers.
template <DType type>
struct IntegerPolicy {
  explicit IntegerPolicy(int bits)
      : low(hn::Set(D(), static_cast<float>(IntGrid{bits}.MinCode()))),
        high(hn::Set(D(), static_cast<float>(IntGrid{bits}.MaxCode()))) {}

  HWY_INLINE V Round(const LdlqBlock& b, int64_t j, int64_t r, V z) const {
    const V scale = hn::Load(D(), b.scales[j] + r);
    const V code = hn::Min(hn::Max(hn::Round(hn::Div(z, scale)), low), high);
    StoreCodes(code, b.codes + j * kLaneRows + r);
    return Stored<type>(hn::Mul(code, scale));
  }
  V low, high;
};

// Any grid.
template <LaneSearch search, DType type>
struct GridPolicy {
  explicit GridPolicy(const LaneGrid& grid) : grid(grid) {}

  HWY_INLINE V Round(const LdlqBlock& b, int64_t j, int64_t r, V z) const {
    const D d;
    const V scale = hn::LoadU(d, b.scales[j] + r), minimum = hn::LoadU(d, b.minima[j] + r);
    const Near near = NearestOf<search>(grid, z, InverseScale(scale), minimum);
    StoreIndices(near, reinterpret_cast<uint8_t*>(b.codes) + j * kLaneRows + r);
    return ValueOf<search, type>(near, scale, minimum);
  }
  const LaneGrid& grid;
};

// One step of the recursion: adds what the errors of columns [sub, j) contribute, rounds z_j to a code, and keeps the
// error of the value that the consumer will see.
template <typename Policy>
HWY_INLINE void RoundOne(const LdlqBlock& b, int64_t sub, int64_t j, const Policy& policy, Sums sums) {
  const D d;
  const V weight = hn::Set(d, b.d[j]);
  for (int64_t r = 0; r < kLaneRows; r += Width()) {
    const int64_t at = j * kLaneRows + r;
    V z = hn::Load(d, b.a + at);
    for (int64_t i = sub; i < j; ++i) {
      z = hn::MulAdd(hn::Load(d, b.e + i * kLaneRows + r), hn::Set(d, b.m[j * kLaneBlock + i]), z);
    }
    const V w = hn::Load(d, b.w + at);
    z = hn::Add(w, z);
    const V q = policy.Round(b, j, r, z);
    const V miss = hn::Sub(z, q), e = hn::Sub(w, q);
    hn::Store(e, d, b.e + at);
    hn::Store(hn::MulAdd(hn::Mul(miss, miss), weight, hn::Load(d, sums.loss + r)), d, sums.loss + r);
    hn::Store(hn::MulAdd(e, e, hn::Load(d, sums.error + r)), d, sums.error + r);
  }
}

template <typename Policy>
void RoundColumnsBy(const LdlqBlock& b, int64_t begin, int64_t end, const Policy& policy) {
  for (int64_t s = begin; s < end; s += kSub) {
    const int64_t stop = std::min(s + kSub, end);
    AddRange<false>(b.e, b.m, begin, s, s, stop, b.a);
    // Sixteen terms add up in f32, everything beyond in f64: the caller subtracts the damping's share from the loss,
    // and rounding of a long f32 sum would show in the difference.
    HWY_ALIGN float loss[kLaneRows] = {}, error[kLaneRows] = {};
    for (int64_t j = s; j < stop; ++j) RoundOne(b, s, j, policy, {loss, error});
    for (int64_t r = 0; r < kLaneRows; ++r) {
      b.loss[r] += loss[r];
      b.error[r] += error[r];
    }
  }
}

void RoundColumns(const LdlqBlock& b, int64_t begin, int64_t end, const IntGrid& grid) {
  if (grid.type == DType::kBF16) return RoundColumnsBy(b, begin, end, IntegerPolicy<DType::kBF16>(grid.bits));
  if (grid.type == DType::kF16) return RoundColumnsBy(b, begin, end, IntegerPolicy<DType::kF16>(grid.bits));
  RoundColumnsBy(b, begin, end, IntegerPolicy<DType::kF32>(grid.bits));
}

void RoundColumnsOnGrid(const LdlqBlock& b, int64_t begin, int64_t end, const LaneGrid& grid) {
  WithKind(grid,
           [&]<LaneSearch search, DType type>() { RoundColumnsBy(b, begin, end, GridPolicy<search, type>(grid)); });
}

void SubtractProducts(const float* e, const float* m, int64_t i0, int64_t i1, int64_t j0, int64_t j1, float* to) {
  AddRange<true>(e, m, i0, i1, j0, j1, to);
}

}  // namespace
}  // namespace bitwright::worker::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bitwright::worker {

HWY_EXPORT(LaneAbsMax);
HWY_EXPORT(SearchLaneScales);
HWY_EXPORT(RoundLanesToNearest);
HWY_EXPORT(AddEarlierErrors);
HWY_EXPORT(StandingValues);
HWY_EXPORT(RoundColumns);
HWY_EXPORT(RoundColumnsOnGrid);
HWY_EXPORT(SubtractProducts);

void LaneAbsMax(const float* w, int64_t columns, float* absmax) {
  HWY_DYNAMIC_DISPATCH(LaneAbsMax)(w, columns, absmax);
}
void SearchLaneScales(const float* w, int64_t columns, const float* weights, const float* factors, int64_t count,
                      const IntGrid& grid, const float* start, float* scales) {
  HWY_DYNAMIC_DISPATCH(SearchLaneScales)(w, columns, weights, factors, count, grid, start, scales);
}
void RoundLanesToNearest(const float* w, int64_t columns, const float* scales, int bits, DType quotient_type,
                         int8_t* codes) {
  HWY_DYNAMIC_DISPATCH(RoundLanesToNearest)(w, columns, scales, bits, quotient_type, codes);
}
void AddEarlierErrors(const LdlqBlock& block, int64_t begin, int64_t end) {
  HWY_DYNAMIC_DISPATCH(AddEarlierErrors)(block, begin, end);
}
void StandingValues(const LdlqBlock& block, int64_t begin, int64_t end, float* spread, float* standing) {
  HWY_DYNAMIC_DISPATCH(StandingValues)(block, begin, end, spread, standing);
}
void RoundColumns(const LdlqBlock& block, int64_t begin, int64_t end, const IntGrid& grid) {
  HWY_DYNAMIC_DISPATCH(RoundColumns)(block, begin, end, grid);
}
void RoundColumnsOnGrid(const LdlqBlock& block, int64_t begin, int64_t end, const LaneGrid& grid) {
  HWY_DYNAMIC_DISPATCH(RoundColumnsOnGrid)(block, begin, end, grid);
}
void SubtractProducts(const float* e, const float* m, int64_t i0, int64_t i1, int64_t j0, int64_t j1, float* to) {
  HWY_DYNAMIC_DISPATCH(SubtractProducts)(e, m, i0, i1, j0, j1, to);
}

}  // namespace bitwright::worker
#endif
