#include <algorithm>
#include <vector>

#include "workers/kernels/cpu/lattice_piece.h"
#include "workers/kernels/cpu/row_lanes.h"

namespace bitwright::worker {
namespace {

constexpr int64_t kRows = kLaneRows;
constexpr int64_t kBlock = kLaneBlock;
constexpr int64_t kOctet = Lattice::kSigns;

// Of H within a block of columns, rows kBlock apart.
LaneForm FormOf(const float* h) {
  double s[64];
  for (int64_t i = 0; i < 64; ++i) s[i] = h[i / kOctet * kBlock + i % kOctet];
  return LaneForm(OctetForm(s));
}

}  // namespace

// What a group may change to, lane by lane.
struct LatticePiece::Group {
  explicit Group(int64_t columns)
      : values(columns * kRows), delta(columns * kRows), octets(static_cast<size_t>(columns / kOctet)) {}

  Buffer<float> values, delta;
  std::vector<LaneOctets> octets;
  uint8_t stays[4 * kRows];  // [octets, 64]
  alignas(64) float gain[kRows];
};

struct LatticePiece::Choice {
  explicit Choice(int64_t columns) : trial(columns), best(columns), rest(columns * kRows) {}

  Group trial, best;
  Buffer<float> rest;
  LaneForm forms[4];
  alignas(64) float sub[kRows], best_sub[kRows], scale[kRows], inverse[kRows], standing[kRows];
};

// The group with another small scale, or with the one that it has.
void LatticePiece::TryScale(int64_t group, int change, const float* h, Choice& c, Group& to) const {
  const int64_t columns = lattice_.group, at = group * columns * kRows;
  const float* subs = subs_.data() + group * kRows;
  const float* super = supers_.data() + group * columns / lattice_.super * kRows;
  for (int64_t r = 0; r < kRows; ++r) {
    c.sub[r] = std::clamp(subs[r] + static_cast<float>(change), 0.0f, static_cast<float>(lattice_.most_scale));
    c.scale[r] = super[r] * (lattice_.first_scale + c.sub[r] * lattice_.scale_step);
    c.standing[r] = c.sub[r] == subs[r] ? 1 : 0;
  }
  InvertScales(c.scale, c.inverse);
  std::copy_n(r_.data() + at, columns * kRows, c.rest.data());
  std::fill_n(to.gain, kRows, 0.0f);
  for (int64_t begin = 0; begin < columns; begin += kOctet) {
    const int64_t k = begin / kOctet, from = begin * kRows;
    TryOctets(lanes_, c.forms[k],
              {q_.data() + at + from, c.rest.data() + from, c.scale, c.inverse, c.standing, to.values.data() + from,
               to.delta.data() + from, to.gain, &to.octets[static_cast<size_t>(k)], to.stays + k * kRows});
    SubtractProducts(to.delta.data(), h, begin, begin + kOctet, begin + kOctet, columns, c.rest.data());
  }
}

void LatticePiece::TakeBetter(Choice& c) const {
  bool wins[kRows], any = false;
  for (int64_t r = 0; r < kRows; ++r) {
    wins[r] = c.trial.gain[r] > c.best.gain[r];
    any = any || wins[r];
  }
  if (!any) return;
  for (int64_t i = 0; i < lattice_.group * kRows; ++i) {
    c.best.values[i] = wins[i % kRows] ? c.trial.values[i] : c.best.values[i];
    c.best.delta[i] = wins[i % kRows] ? c.trial.delta[i] : c.best.delta[i];
  }
  for (int64_t k = 0; k < lattice_.group / kOctet; ++k) {
    LaneOctets &best = c.best.octets[static_cast<size_t>(k)], &trial = c.trial.octets[static_cast<size_t>(k)];
    for (int64_t r = 0; r < kRows; ++r) {
      if (!wins[r]) continue;
      best.signs[r] = trial.signs[r];
      c.best.stays[k * kRows + r] = c.trial.stays[k * kRows + r];
      for (int64_t p = 0; p < points(); ++p) best.points[p * kRows + r] = trial.points[p * kRows + r];
    }
  }
  for (int64_t r = 0; r < kRows; ++r) {
    if (!wins[r]) continue;
    c.best.gain[r] = c.trial.gain[r];
    c.best_sub[r] = c.sub[r];
  }
}

void LatticePiece::SweepGroup(int64_t group, const float* h, Choice& c, float* delta) {
  const int64_t columns = lattice_.group, octets = columns / kOctet;
  for (int64_t k = 0; k < octets; ++k) c.forms[k] = FormOf(h + k * kOctet * (kBlock + 1));
  TryScale(group, 0, h, c, c.best);
  std::copy_n(c.sub, kRows, c.best_sub);
  for (const int change : {-1, 1}) {
    TryScale(group, change, h, c, c.trial);
    TakeBetter(c);
  }
  for (int64_t k = 0; k < octets; ++k) {
    const LaneOctets& chosen = c.best.octets[static_cast<size_t>(k)];
    const int64_t octet = group * octets + k;
    for (int64_t r = 0; r < kRows; ++r) {
      if (c.best.stays[k * kRows + r] != 0) continue;
      signs_[octet * kRows + r] = chosen.signs[r];
      for (int64_t p = 0; p < points(); ++p) points_[(octet * points() + p) * kRows + r] = chosen.points[p * kRows + r];
    }
  }
  std::copy_n(c.best.values.data(), columns * kRows, q_.data() + group * columns * kRows);
  std::copy_n(c.best.delta.data(), columns * kRows, delta);
  std::copy_n(c.best_sub, kRows, subs_.data() + group * kRows);
}

void LatticePiece::Sweep() {
  Choice choice(lattice_.group);
  SweepGroups(lattice_.group,
              [&](int64_t group, const float* h, float* delta) { SweepGroup(group, h, choice, delta); });
  MultiplyScales();
  FollowValues();
}

}  // namespace bitwright::worker
