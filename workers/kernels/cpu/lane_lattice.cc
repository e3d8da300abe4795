#include "workers/kernels/cpu/lane_lattice.h"

#include <algorithm>
#include <array>
#include <map>

#include "proto/base/log.h"
#include "workers/kernels/cpu/row_lanes.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "workers/kernels/cpu/lane_lattice.cc"
#include "hwy/foreach_target.h"  // compiles this file once per instruction set
#include "hwy/highway.h"
#include "workers/kernels/cpu/octet_lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bitwright::worker::HWY_NAMESPACE {
namespace {

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
