#include <algorithm>
#include <cmath>
#include <vector>

#include "workers/kernels/lattice_search.h"
#include "workers/kernels/reference/lattice_rounding.h"
#include "workers/kernels/reference/lattice_row.h"
#include "workers/kernels/stored_scale.h"

namespace bitwright::worker {
namespace {

// Columns that share a scale, with the weight of each one's error.
struct Part {
  std::span<const double> w;
  std::span<const double> h;
};

// The octets nearest to a group's weights at one scale, and how well that scale fits them.
struct Nearest {
  std::vector<Octet> octets;
  double error = 0;               // Σ h (w − q)²
  double ww = 0, qw = 0, qq = 0;  // Σ h w², Σ h w n and Σ h n², n the numbers

  double fit() const { return qw / qq; }
};

Nearest NearestAt(const Lattice& lattice, const Part& part, double scale) {
  Nearest nearest;
  for (size_t begin = 0; begin < part.w.size(); begin += 8) {
    double x[8];
    for (size_t i = 0; i < 8; ++i) x[i] = scale == 0 ? 0 : part.w[begin + i] / scale;
    nearest.octets.push_back(NearestOctet(lattice, x, part.h.data() + begin));
    for (size_t i = 0; i < 8; ++i) {
      const double h = part.h[begin + i], w = part.w[begin + i], n = nearest.octets.back().numbers[i];
      nearest.ww += h * w * w;
      nearest.qw += h * w * n;
      nearest.qq += h * n * n;
    }
  }
  nearest.error = nearest.ww - scale * (2 * nearest.qw - scale * nearest.qq);
  return nearest;
}

// The best scale of a group, not yet as stored.
double Search(const Lattice& lattice, const Part& part) {
  double extreme = 0;
  for (const double w : part.w) extreme = std::max(extreme, std::abs(w));
  if (extreme == 0) return 0;
  const double end = *std::ranges::max_element(lattice.points);
  double best = 0, fit = 0, least = 1e300;
  const auto attempt = [&](double scale) {
    const Nearest nearest = NearestAt(lattice, part, scale);
    if (nearest.error >= least) return;
    least = nearest.error;
    best = scale;
    fit = nearest.fit();
  };
  for (int k = 0; k < kLatticeFactors; ++k) {
    const double factor = kLeastLatticeFactor + (kMostLatticeFactor - kLeastLatticeFactor) * k / (kLatticeFactors - 1);
    attempt(extreme / end * factor);
  }
  for (int k = 0; k < kLatticeFits; ++k) attempt(fit);
  return best;
}

// The super-scale is that at which the largest small scale serves the largest group; small scales are the nearest ones
// or their neighbours, whichever has the least error.
void StoreSuper(const Lattice& lattice, std::span<const Part> parts, LatticeCodesRow& row, int64_t first) {
  std::vector<double> found;
  for (const Part& part : parts) found.push_back(Search(lattice, part));
  row.super_scale(first) = StoredScale(ScaleType::kF16, std::ranges::max(found) / lattice.Multiple(lattice.most_scale));
  for (size_t g = 0; g < parts.size(); ++g) {
    const int64_t group = first + static_cast<int64_t>(g);
    const double multiple = row.super_scale(first) == 0 ? 0 : found[g] / row.super_scale(first);
    const int s0 = static_cast<int>(std::lround((multiple - lattice.first_scale) / lattice.scale_step));
    Nearest best;
    best.error = 1e300;
    for (int ds = -1; ds <= 1; ++ds) {
      const int s = std::clamp(s0 + ds, 0, lattice.most_scale);
      Nearest nearest = NearestAt(lattice, parts[g], row.Scale(group, s));
      if (nearest.error >= best.error) continue;
      best = std::move(nearest);
      row.sub_scale(group) = static_cast<uint8_t>(s);
    }
    const int64_t octets = lattice.group / 8;
    for (int64_t k = 0; k < octets; ++k) row.Store(group * octets + k, best.octets[static_cast<size_t>(k)]);
  }
}

}  // namespace

LatticeCodes StartOnLattice(const GridProblem& problem, const Lattice& lattice) {
  const int64_t n = problem.columns, per = lattice.super / lattice.group;
  LatticeCodes codes(lattice, problem.rows, n);
  std::vector<double> diagonal;
  for (int64_t j = 0; j < n; ++j) diagonal.push_back(problem.moment[static_cast<size_t>(j * n + j)]);
  for (int64_t i = 0; i < problem.rows; ++i) {
    LatticeCodesRow row(codes, lattice, n, i);
    std::vector<Part> parts;
    for (int64_t g = 0; g < lattice.groups(n); ++g) {
      const auto begin = static_cast<size_t>(g * lattice.group), size = static_cast<size_t>(lattice.group);
      parts.push_back({problem.weights.subspan(static_cast<size_t>(i * n) + begin, size),
                       std::span<const double>(diagonal).subspan(begin, size)});
    }
    for (int64_t g = 0; g < lattice.groups(n); g += per) {
      StoreSuper(lattice, std::span(parts).subspan(static_cast<size_t>(g), static_cast<size_t>(per)), row, g);
    }
  }
  return codes;
}

}  // namespace bitwright::worker
