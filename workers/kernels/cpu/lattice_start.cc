#include <algorithm>
#include <cmath>

#include "workers/kernels/cpu/lattice_piece.h"
#include "workers/kernels/cpu/row_lanes.h"
#include "workers/kernels/lattice_search.h"
#include "workers/kernels/stored_scale.h"

// StartOnLattice of the reference, in f32.
namespace bitwright::worker {
namespace {

constexpr int64_t kRows = kLaneRows;

}  // namespace

void LatticePiece::MeasureScale(int64_t group, const float* scale, float* error, float* fit) const {
  const int64_t columns = lattice_.group, first = group * columns;
  alignas(64) float inverse[kRows];
  float qw[kRows] = {}, qq[kRows] = {};
  InvertScales(scale, inverse);
  LaneOctets octets;
  for (int64_t begin = first; begin < first + columns; begin += 8) {
    NearestOctets(lanes_, w_.data() + begin * kRows, diagonal_.data() + begin, inverse, octets);
    for (int64_t i = 0; i < 8; ++i) {
      const float h = diagonal_[begin + i];
      const float *w = w_.data() + (begin + i) * kRows, *number = octets.numbers + i * kRows;
      for (int64_t r = 0; r < kRows; ++r) {
        const float weighted = h * number[r];
        qw[r] += weighted * w[r];
        qq[r] += weighted * number[r];
      }
    }
  }
  for (int64_t r = 0; r < kRows; ++r) {
    error[r] = scale[r] * (scale[r] * qq[r] - 2 * qw[r]);
    fit[r] = qw[r] / qq[r];
  }
}

void LatticePiece::SearchScale(int64_t group, float* best) const {
  alignas(64) float extreme[kRows], scale[kRows], error[kRows], fit[kRows], least[kRows], best_fit[kRows];
  LaneAbsMax(w_.data() + group * lattice_.group * kRows, lattice_.group, extreme);
  const float end = *std::ranges::max_element(lanes_.numbers);
  std::fill_n(least, kRows, 3e38f);
  const auto attempt = [&] {
    MeasureScale(group, scale, error, fit);
    for (int64_t r = 0; r < kRows; ++r) {
      if (error[r] >= least[r]) continue;
      least[r] = error[r];
      best[r] = scale[r];
      best_fit[r] = fit[r];
    }
  };
  for (int k = 0; k < kLatticeFactors; ++k) {
    const double factor = kLeastLatticeFactor + (kMostLatticeFactor - kLeastLatticeFactor) * k / (kLatticeFactors - 1);
    for (int64_t r = 0; r < kRows; ++r) scale[r] = static_cast<float>(extreme[r] / end * factor);
    attempt();
  }
  for (int k = 0; k < kLatticeFits; ++k) {
    for (int64_t r = 0; r < kRows; ++r) scale[r] = extreme[r] == 0 ? 0 : best_fit[r];
    attempt();
  }
}

void LatticePiece::StartSuper(int64_t super) {
  const int64_t per = lattice_.super / lattice_.group, first = super * per;
  Buffer<float> found(per * kRows);
  float* d = supers_.data() + super * kRows;
  std::fill_n(d, kRows, 0.0f);
  for (int64_t g = 0; g < per; ++g) {
    SearchScale(first + g, found.data() + g * kRows);
    for (int64_t r = 0; r < kRows; ++r) d[r] = std::max(d[r], found[g * kRows + r]);
  }
  for (int64_t r = 0; r < kRows; ++r) {
    d[r] = StoredScale(ScaleType::kF16, d[r] / lattice_.Multiple(lattice_.most_scale));
  }
  alignas(64) float scale[kRows], error[kRows], fit[kRows], sub[kRows], nearest[kRows], least[kRows];
  const auto most = static_cast<float>(lattice_.most_scale);
  for (int64_t g = 0; g < per; ++g) {
    float* best = subs_.data() + (first + g) * kRows;
    for (int64_t r = 0; r < kRows; ++r) {
      const float multiple = d[r] == 0 ? 0 : found[g * kRows + r] / d[r];
      nearest[r] = std::round((multiple - lattice_.first_scale) / lattice_.scale_step);
    }
    std::fill_n(least, kRows, 3e38f);
    for (int ds = -1; ds <= 1; ++ds) {
      for (int64_t r = 0; r < kRows; ++r) {
        sub[r] = std::clamp(nearest[r] + static_cast<float>(ds), 0.0f, most);
        scale[r] = d[r] * (lattice_.first_scale + sub[r] * lattice_.scale_step);
      }
      MeasureScale(first + g, scale, error, fit);
      for (int64_t r = 0; r < kRows; ++r) {
        if (error[r] >= least[r]) continue;
        least[r] = error[r];
        best[r] = sub[r];
      }
    }
  }
}

void LatticePiece::Start() {
  for (int64_t super = 0; super < lattice_.supers(in_); ++super) StartSuper(super);
  MultiplyScales();
  LaneOctets octets;
  alignas(64) float inverse[kRows];
  for (int64_t begin = 0; begin < in_; begin += 8) {
    const float* scale = scale_.data() + begin / lattice_.group * kRows;
    InvertScales(scale, inverse);
    NearestOctets(lanes_, w_.data() + begin * kRows, diagonal_.data() + begin, inverse, octets);
    StoreOctets(begin / 8, octets, scale);
  }
}

}  // namespace bitwright::worker
