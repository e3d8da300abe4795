#include "workers/kernels/cpu/lane_lattice.h"

#include <algorithm>
#include <array>
#include <map>

#include "proto/base/log.h"
#include "workers/kernels/cpu/row_lanes.h"
#include "workers/kernels/lattice_search.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "workers/kernels/cpu/lane_lattice.cc"
#include "hwy/foreach_target.h"  // compiles this file once per instruction set
#include "hwy/highway.h"
#include "workers/kernels/cpu/nearest_lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bitwright::worker::HWY_NAMESPACE {
namespace {

// The lanes of one register on their way to a choice.
struct Chosen {
  V numbers[8];
  V signs[8];  // 1 or −1
  V points[2];
};

HWY_INLINE V Square(V a) { return hn::Mul(a, a); }

// Signs of x; where they must be even and are odd, that of least h|x| changes.
HWY_INLINE void SetSigns(const LaneLattice& lattice, const V* x, const V* h, V* signs) {
  const D d;
  const V one = hn::Set(d, 1.0f);
  V parity = one, least = hn::Set(d, 3e38f), at = hn::Zero(d);
  for (int i = 0; i < 8; ++i) {
    signs[i] = hn::IfThenElse(hn::Lt(x[i], hn::Zero(d)), hn::Neg(one), one);
    parity = hn::Mul(parity, signs[i]);
    const V cost = hn::Mul(h[i], hn::Abs(x[i]));
    at = hn::IfThenElse(hn::Lt(cost, least), hn::Set(d, static_cast<float>(i)), at);
    least = hn::Min(least, cost);
  }
  if (!lattice.even_signs) return;
  at = hn::IfThenElse(hn::Lt(parity, hn::Zero(d)), at, hn::Set(d, -1.0f));
  for (int i = 0; i < 8; ++i) {
    signs[i] = hn::IfThenElse(hn::Eq(at, hn::Set(d, static_cast<float>(i))), hn::Neg(signs[i]), signs[i]);
  }
}

// Least cost among points, and its index.
struct Least {
  V cost;
  V index;

  HWY_INLINE void Take(V other, float at) {
    const D d;
    index = hn::IfThenElse(hn::Lt(other, cost), hn::Set(d, at), index);
    cost = hn::Min(other, cost);
  }
};

// vᵀ A v − 2 bᵀ v of one half of a point; a [half, half] rows `stride` apart, of which the diagonal and what is above
// it counts.
template <int half>
HWY_INLINE V HalfCost(const float* v, const V* a, int stride, const V* b) {
  const D d;
  V cost = hn::Zero(d);
  for (int i = 0; i < half; ++i) {
    V across = hn::Zero(d);
    for (int j = i + 1; j < half; ++j) across = hn::MulAdd(a[i * stride + j], hn::Set(d, v[j]), across);
    across = hn::Add(hn::Sub(across, b[i]), hn::Sub(across, b[i]));
    cost = hn::MulAdd(hn::Set(d, v[i]), hn::MulAdd(a[i * stride + i], hn::Set(d, v[i]), across), cost);
  }
  return cost;
}

// The point of least vᵀ A v − 2 bᵀ v; a [size, size], b [size], size = 2 · half.
template <int half>
HWY_INLINE V SearchPoints(const LaneLattice& lattice, const V* a, const V* b) {
  const D d;
  constexpr int kSize = 2 * half;
  alignas(64) float seconds[LaneLattice::kMostHalves * 16];
  const auto width = static_cast<size_t>(Width());
  for (size_t k = 0; k < lattice.seconds.size(); ++k) {
    hn::Store(HalfCost<half>(lattice.seconds[k].numbers, a + half * kSize + half, kSize, b + half), d,
              seconds + k * width);
  }
  Least least{hn::Set(d, 3e38f), hn::Zero(d)};
  for (const LaneLattice::Run& run : lattice.runs) {
    const V first = HalfCost<half>(run.first.numbers, a, kSize, b);
    V across[half];
    for (int j = 0; j < half; ++j) {
      across[j] = hn::Zero(d);
      for (int i = 0; i < half; ++i) {
        across[j] = hn::MulAdd(a[i * kSize + half + j], hn::Set(d, 2 * run.first.numbers[i]), across[j]);
      }
    }
    for (int p = run.begin; p < run.end; ++p) {
      const auto second = static_cast<size_t>(lattice.second_of[static_cast<size_t>(p)]);
      const float* v = lattice.seconds[second].numbers;
      V cost = hn::Add(first, hn::Load(d, seconds + second * width));
      for (int j = 0; j < half; ++j) cost = hn::MulAdd(across[j], hn::Set(d, v[j]), cost);
      least.Take(cost, lattice.index_of[static_cast<size_t>(p)]);
    }
  }
  return least.index;
}

// The same with A diagonal: h [size] of all lanes.
template <int half>
HWY_INLINE V SearchNearest(const LaneLattice& lattice, const float* h, const V* b) {
  const D d;
  alignas(64) float seconds[LaneLattice::kMostHalves * 16];
  const auto width = static_cast<size_t>(Width());
  const auto cost_of = [&](const float* v, int begin) {
    V cost = hn::Zero(d);
    for (int i = 0; i < half; ++i) {
      cost = hn::MulAdd(b[begin + i], hn::Set(d, -2 * v[i]), cost);
      cost = hn::Add(cost, hn::Set(d, h[begin + i] * v[i] * v[i]));
    }
    return cost;
  };
  for (size_t k = 0; k < lattice.seconds.size(); ++k) {
    hn::Store(cost_of(lattice.seconds[k].numbers, half), d, seconds + k * width);
  }
  Least least{hn::Set(d, 3e38f), hn::Zero(d)};
  for (const LaneLattice::Run& run : lattice.runs) {
    const V first = cost_of(run.first.numbers, 0);
    for (int p = run.begin; p < run.end; ++p) {
      const auto second = static_cast<size_t>(lattice.second_of[static_cast<size_t>(p)]);
      least.Take(hn::Add(first, hn::Load(d, seconds + second * width)), lattice.index_of[static_cast<size_t>(p)]);
    }
  }
  return least.index;
}

template <int size>
HWY_INLINE void SetNumbers(const LaneLattice& lattice, int part, V point, Chosen& to) {
  const D d;
  const hn::RebindToSigned<D> di;
  to.points[part] = point;
  const auto at = hn::Mul(hn::ConvertTo(di, point), hn::Set(di, size));
  for (int i = 0; i < size; ++i) {
    const V number = hn::GatherIndex(d, lattice.numbers.data() + i, at);
    to.numbers[part * size + i] = hn::Mul(number, to.signs[part * size + i]);
  }
}

// S times x, less the numbers where `less` says so: row i.
HWY_INLINE V Row(const float* s, int count, const V* x) {
  V sum = hn::Zero(D());
  for (int j = 0; j < count; ++j) sum = hn::MulAdd(x[j], hn::Set(D(), s[j]), sum);
  return sum;
}

// One point of the octet: form [size, size], rows `stride` apart, and its linear part b before signs.
template <int size>
HWY_INLINE void SetPoint(const LaneLattice& lattice, int part, const float* form, int stride, V* b, Chosen& to) {
  V a[size * size];
  const V* signs = to.signs + part * size;
  for (int i = 0; i < size; ++i) {
    b[i] = hn::Mul(b[i], signs[i]);
    for (int j = 0; j < size; ++j) {
      a[i * size + j] = hn::Mul(hn::Mul(signs[i], signs[j]), hn::Set(D(), form[i * stride + j]));
    }
  }
  SetNumbers<size>(lattice, part, SearchPoints<size / 2>(lattice, a, b), to);
}

HWY_INLINE void SetHalf(const LaneLattice& lattice, int part, const LaneForm& form, const V* x, Chosen& to) {
  V miss[8], b[4];
  for (int j = 0; j < 8; ++j) miss[j] = j / 4 == part ? x[j] : hn::Sub(x[j], to.numbers[j]);
  for (int i = 0; i < 4; ++i) b[i] = Row(form.s + (4 * part + i) * 8, 8, miss);
  SetPoint<4>(lattice, part, form.s + 36 * part, 8, b, to);
}

HWY_INLINE void SetPoints(const LaneLattice& lattice, const LaneForm& form, const V* x, bool first, Chosen& to) {
  V b[8];
  if (lattice.size == 8) {
    for (int i = 0; i < 8; ++i) b[i] = Row(form.s + 8 * i, 8, x);
    return SetPoint<8>(lattice, 0, form.s, 8, b, to);
  }
  if (first) {
    for (int i = 0; i < 4; ++i) b[i] = Row(form.relaxed + 4 * i, 4, x);
    SetPoint<4>(lattice, 0, form.relaxed, 4, b, to);
  } else {
    SetHalf(lattice, 0, form, x, to);
  }
  SetHalf(lattice, 1, form, x, to);
}

// The change of one sign, or of two, that lowers the cost most.
HWY_INLINE void Flip(const LaneLattice& lattice, const LaneForm& form, const V* x, Chosen& to) {
  const D d;
  V miss[8], own[8];
  for (int j = 0; j < 8; ++j) miss[j] = hn::Sub(x[j], to.numbers[j]);
  for (int i = 0; i < 8; ++i) {
    const V pull = hn::MulAdd(to.numbers[i], hn::Set(d, form.s[9 * i]), Row(form.s + 8 * i, 8, miss));
    own[i] = hn::Mul(hn::Mul(to.numbers[i], pull), hn::Set(d, 4.0f));
  }
  V least = hn::Zero(d), one = hn::Set(d, -1.0f), other = one;  // columns
  for (int i = 0; i < 8; ++i) {
    const V at = hn::Set(d, static_cast<float>(i));
    if (!lattice.even_signs) {
      one = hn::IfThenElse(hn::Lt(own[i], least), at, one);
      least = hn::Min(own[i], least);
      continue;
    }
    for (int j = i + 1; j < 8; ++j) {
      const V together = hn::Mul(hn::Mul(to.numbers[i], to.numbers[j]), hn::Set(d, 8 * form.s[8 * i + j]));
      const V change = hn::Add(hn::Add(own[i], own[j]), together);
      const auto lower = hn::Lt(change, least);
      one = hn::IfThenElse(lower, at, one);
      other = hn::IfThenElse(lower, hn::Set(d, static_cast<float>(j)), other);
      least = hn::Min(change, least);
    }
  }
  for (int i = 0; i < 8; ++i) {
    const V at = hn::Set(d, static_cast<float>(i));
    const auto changes = hn::Or(hn::Eq(one, at), hn::Eq(other, at));
    to.signs[i] = hn::IfThenElse(changes, hn::Neg(to.signs[i]), to.signs[i]);
    to.numbers[i] = hn::IfThenElse(changes, hn::Neg(to.numbers[i]), to.numbers[i]);
  }
}

HWY_INLINE void Choose(const LaneLattice& lattice, const LaneForm& form, const V* x, Chosen& to) {
  V diagonal[8];
  for (int i = 0; i < 8; ++i) diagonal[i] = hn::Set(D(), form.s[9 * i]);
  SetSigns(lattice, x, diagonal, to.signs);
  for (int round = 0; round < kOctetRounds; ++round) {
    SetPoints(lattice, form, x, round == 0, to);
    for (int k = 0; k < kOctetFlips; ++k) Flip(lattice, form, x, to);
  }
}

HWY_INLINE void StoreChosen(const LaneLattice& lattice, const Chosen& chosen, int64_t r, LaneOctets& to) {
  const D d;
  const hn::RebindToSigned<D> di;
  const hn::Rebind<uint16_t, D> d16;
  const hn::Rebind<uint8_t, D> d8;
  V signs = hn::Zero(d);
  for (int i = 0; i < 8; ++i) {
    hn::Store(chosen.numbers[i], d, to.numbers + i * kLaneRows + r);
    const auto minus = hn::Lt(chosen.signs[i], hn::Zero(d));
    signs = hn::Add(signs, hn::IfThenElseZero(minus, hn::Set(d, static_cast<float>(1 << i))));
  }
  hn::StoreU(hn::DemoteTo(d8, hn::ConvertTo(di, signs)), d8, to.signs + r);
  for (int p = 0; p < 8 / lattice.size; ++p) {
    hn::StoreU(hn::DemoteTo(d16, hn::ConvertTo(di, chosen.points[p])), d16, to.points + p * kLaneRows + r);
  }
}

void NearestOctets(const LaneLattice& lattice, const float* w, const float* h, const float* inverse, LaneOctets& to) {
  const D d;
  V weights[8];
  for (int i = 0; i < 8; ++i) weights[i] = hn::Set(d, h[i]);
  for (int64_t r = 0; r < kLaneRows; r += Width()) {
    V x[8], b[8];
    for (int i = 0; i < 8; ++i) x[i] = hn::Mul(hn::Load(d, w + i * kLaneRows + r), hn::Load(d, inverse + r));
    Chosen chosen;
    SetSigns(lattice, x, weights, chosen.signs);
    for (int i = 0; i < 8; ++i) b[i] = hn::Mul(hn::Mul(x[i], chosen.signs[i]), weights[i]);
    if (lattice.size == 8) {
      SetNumbers<8>(lattice, 0, SearchNearest<4>(lattice, h, b), chosen);
    } else {
      SetNumbers<4>(lattice, 0, SearchNearest<2>(lattice, h, b), chosen);
      SetNumbers<4>(lattice, 1, SearchNearest<2>(lattice, h + 4, b + 4), chosen);
    }
    StoreChosen(lattice, chosen, r, to);
  }
}

void ChooseOctets(const LaneLattice& lattice, const LaneForm& form, const float* z, const float* inverse,
                  LaneOctets& to) {
  const D d;
  for (int64_t r = 0; r < kLaneRows; r += Width()) {
    V x[8];
    for (int i = 0; i < 8; ++i) x[i] = hn::Mul(hn::Load(d, z + i * kLaneRows + r), hn::Load(d, inverse + r));
    Chosen chosen;
    Choose(lattice, form, x, chosen);
    StoreChosen(lattice, chosen, r, to);
  }
}

void TryOctets(const LaneLattice& lattice, const LaneForm& form, const OctetTrial& t) {
  const D d;
  for (int64_t r = 0; r < kLaneRows; r += Width()) {
    const V scale = hn::Load(d, t.scale + r), inverse = hn::Load(d, t.inverse + r);
    V rest[8], held[8], x[8], delta[8];
    for (int i = 0; i < 8; ++i) {
      rest[i] = hn::Load(d, t.rest + i * kLaneRows + r);
      held[i] = hn::Load(d, t.held + i * kLaneRows + r);
    }
    for (int i = 0; i < 8; ++i) x[i] = hn::Mul(hn::Add(held[i], Row(form.inverse + 8 * i, 8, rest)), inverse);
    Chosen chosen;
    Choose(lattice, form, x, chosen);
    for (int i = 0; i < 8; ++i) delta[i] = hn::Sub(hn::Mul(chosen.numbers[i], scale), held[i]);
    V gain = hn::Zero(d);
    for (int i = 0; i < 8; ++i) {
      const V pull = hn::Sub(hn::Add(rest[i], rest[i]), Row(form.s + 8 * i, 8, delta));
      gain = hn::MulAdd(delta[i], pull, gain);
    }
    const auto rises = hn::Not(hn::Gt(gain, hn::Zero(d)));
    const auto stays = hn::And(rises, hn::Gt(hn::Load(d, t.standing + r), hn::Zero(d)));
    hn::Store(hn::Add(hn::Load(d, t.gain + r), hn::IfThenZeroElse(stays, gain)), d, t.gain + r);
    for (int i = 0; i < 8; ++i) {
      hn::Store(hn::IfThenElse(stays, held[i], hn::Mul(chosen.numbers[i], scale)), d, t.values + i * kLaneRows + r);
      hn::Store(hn::IfThenZeroElse(stays, delta[i]), d, t.delta + i * kLaneRows + r);
    }
    StoreChosen(lattice, chosen, r, *t.octets);
    const hn::RebindToSigned<D> di;
    const hn::Rebind<uint8_t, D> d8;
    hn::StoreU(hn::DemoteTo(d8, hn::ConvertTo(di, hn::IfThenElseZero(stays, hn::Set(d, 1.0f)))), d8, t.stays + r);
  }
}

}  // namespace
// NOLINTNEXTLINE(google-readability-namespace-comments)
}  // namespace bitwright::worker::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bitwright::worker {

HWY_EXPORT(NearestOctets);
HWY_EXPORT(ChooseOctets);
HWY_EXPORT(TryOctets);

LaneLattice::LaneLattice(const Lattice& lattice)
    : size(lattice.size), even_signs(lattice.even_signs), numbers(lattice.points.begin(), lattice.points.end()) {
  using Key = std::array<float, 4>;
  const int64_t half = size / 2;
  const auto half_of = [&](int64_t point, int64_t begin) {
    Key key{};
    for (int64_t i = 0; i < half; ++i)
      key[static_cast<size_t>(i)] = numbers[static_cast<size_t>(point * size + begin + i)];
    return key;
  };
  const auto as_half = [](const Key& key) {
    Half numbers;
    std::ranges::copy(key, numbers.numbers);
    return numbers;
  };
  std::map<Key, std::vector<int64_t>> by_first;
  std::map<Key, int> known;  // second halves
  for (int64_t p = 0; p < lattice.count(); ++p) by_first[half_of(p, 0)].push_back(p);
  for (const auto& [first, points] : by_first) {
    const auto begin = static_cast<int>(second_of.size());
    for (const int64_t p : points) {
      const Key second = half_of(p, half);
      const auto [found, added] = known.try_emplace(second, static_cast<int>(seconds.size()));
      if (added) seconds.push_back(as_half(second));
      second_of.push_back(found->second);
      index_of.push_back(static_cast<float>(p));
    }
    runs.push_back({as_half(first), begin, static_cast<int>(second_of.size())});
  }
  CHECK(seconds.size() <= kMostHalves) << seconds.size();
}

LaneForm::LaneForm(const OctetForm& form) {
  std::ranges::copy(form.s, s);
  std::ranges::copy(form.inverse, inverse);
  std::ranges::copy(form.relaxed, relaxed);
}

void InvertScales(const float* scale, float* to) {
  for (int64_t r = 0; r < kLaneRows; ++r) to[r] = scale[r] == 0 ? 0 : 1 / scale[r];
}

void NearestOctets(const LaneLattice& lattice, const float* w, const float* h, const float* inverse, LaneOctets& to) {
  HWY_DYNAMIC_DISPATCH(NearestOctets)(lattice, w, h, inverse, to);
}
void ChooseOctets(const LaneLattice& lattice, const LaneForm& form, const float* z, const float* inverse,
                  LaneOctets& to) {
  HWY_DYNAMIC_DISPATCH(ChooseOctets)(lattice, form, z, inverse, to);
}
void TryOctets(const LaneLattice& lattice, const LaneForm& form, const OctetTrial& trial) {
  HWY_DYNAMIC_DISPATCH(TryOctets)(lattice, form, trial);
}

}  // namespace bitwright::worker
#endif
