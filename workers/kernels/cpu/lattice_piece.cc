#include "workers/kernels/cpu/lattice_piece.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

#include "workers/kernels/cpu/row_lanes.h"
#include "workers/kernels/rounding_order.h"

namespace bitwright::worker {
namespace {

constexpr int64_t kRows = kLaneRows;
constexpr int64_t kBlock = kLaneBlock;
constexpr int64_t kOctet = Lattice::kSigns;

// M_JJ D_J M_JJᵀ of the octet from column `begin` on.
LaneForm FormOf(const CpuFactor& factor, int64_t begin) {
  const int64_t n = factor.head.inputs;
  const auto m = [&](int64_t i, int64_t j) { return i == j ? 1.0 : factor.m[(begin + i) * n + begin + j]; };
  double s[64] = {};
  for (int64_t i = 0; i < kOctet; ++i) {
    for (int64_t j = 0; j < kOctet; ++j) {
      for (int64_t k = std::max(i, j); k < kOctet; ++k) {
        s[kOctet * i + j] += m(i, k) * factor.d[static_cast<size_t>(begin + k)] * m(j, k);
      }
    }
  }
  return LaneForm(OctetForm(s));
}

}  // namespace

LatticePiece::LatticePiece(const CpuFactor& factor, const CpuFactor& in_order, const Lattice& lattice,
                           const LaneLattice& lanes)
    : LanePiece(factor),
      in_order_(in_order),
      lattice_(lattice),
      lanes_(lanes),
      points_(in_ / lattice.size * kRows),
      signs_(in_ / kOctet * kRows),
      supers_(lattice.supers(in_) * kRows),
      subs_(lattice.groups(in_) * kRows),
      scale_(lattice.groups(in_) * kRows) {}

void LatticePiece::MultiplyScales() {
  for (int64_t g = 0; g < lattice_.groups(in_); ++g) {
    const float* super = supers_.data() + g * lattice_.group / lattice_.super * kRows;
    for (int64_t r = 0; r < kRows; ++r) {
      scale_[g * kRows + r] = super[r] * (lattice_.first_scale + subs_[g * kRows + r] * lattice_.scale_step);
    }
  }
}

void LatticePiece::StoreOctets(int64_t octet, const LaneOctets& from, const float* scale) {
  std::copy_n(from.points, points() * kRows, points_.data() + octet * points() * kRows);
  std::copy_n(from.signs, kRows, signs_.data() + octet * kRows);
  float* q = q_.data() + octet * kOctet * kRows;
  for (int64_t i = 0; i < kOctet * kRows; ++i) q[i] = from.numbers[i] * scale[i % kRows];
}

void LatticePiece::ValuesFromCodes() {
  for (int64_t j = 0; j < in_; ++j) {
    const uint16_t* point = points_.data() + j / lattice_.size * kRows;
    const uint8_t* signs = signs_.data() + j / kOctet * kRows;
    const float *scale = scale_.data() + j / lattice_.group * kRows,
                *numbers = lanes_.numbers.data() + j % lattice_.size;
    for (int64_t r = 0; r < kRows; ++r) {
      const float value = numbers[point[r] * lattice_.size] * scale[r];
      q_[j * kRows + r] = (signs[r] >> (j % kOctet) & 1) != 0 ? -value : value;
    }
  }
}

void LatticePiece::FeedBack() {
  Buffer<float> error(in_ * kRows), sum(kBlock * kRows), spread(kBlock * kRows), standing(kBlock * kRows);
  LaneOctets octets;
  alignas(64) float inverse[kRows];
  for (int64_t begin = 0; begin < in_; begin += kBlock) {
    const int64_t width = std::min(kBlock, in_ - begin);
    SumEarlierErrors(in_order_, error.data(), begin, width, sum.data());
    LdlqBlock block{};
    block.w = w_.data() + begin * kRows;
    block.a = sum.data();
    block.e = error.data() + begin * kRows;
    block.m = in_order_.blocks.data() + begin * kBlock;
    for (int64_t j = 0; j < width; j += kOctet) {
      const float* scale = scale_.data() + (begin + j) / lattice_.group * kRows;
      AddEarlierErrors(block, j, j + kOctet);
      StandingValues(block, j, j + kOctet, spread.data(), standing.data());
      InvertScales(scale, inverse);
      ChooseOctets(lanes_, FormOf(in_order_, begin + j), standing.data() + j * kRows, inverse, octets);
      StoreOctets((begin + j) / kOctet, octets, scale);
      for (int64_t i = (begin + j) * kRows; i < (begin + j + kOctet) * kRows; ++i) error[i] = w_[i] - q_[i];
    }
  }
}

void LatticePiece::FeedBackWhereBetter() {
  double start[kRows];
  std::copy_n(j_, kRows, start);
  Buffer<uint16_t> points(points_.size());
  Buffer<uint8_t> signs(signs_.size());
  std::copy_n(points_.data(), points.size(), points.data());
  std::copy_n(signs_.data(), signs.size(), signs.data());
  FeedBack();
  FollowValues();
  if (std::equal(j_, j_ + kRows, start, std::less_equal<>())) return;
  for (int64_t i = 0; i < points.size(); ++i) {
    if (j_[i % kRows] > start[i % kRows]) points_[i] = points[i];
  }
  for (int64_t i = 0; i < signs.size(); ++i) {
    if (j_[i % kRows] > start[i % kRows]) signs_[i] = signs[i];
  }
  ValuesFromCodes();
  FollowValues();
}

void LatticePiece::Round(const Matrix& weights, int64_t first, const GridSteps& steps) {
  GatherWeights(weights, first);
  Start();
  FollowValues();
  InOrderOfSteps(
      steps, [this] { FeedBackWhereBetter(); }, [this] { Sweep(); }, [this] { Refit(); });
}

void LatticePiece::Scatter(int64_t out, int64_t first, LatticeRounded& to) const {
  const int64_t rows = std::min(kRows, out - first);
  const auto scatter = [&](const auto& from, auto& values) {
    const int64_t per = from.size() / kRows;
    for (int64_t r = 0; r < rows; ++r) {
      for (int64_t i = 0; i < per; ++i) {
        auto& value = values[static_cast<size_t>((first + r) * per + i)];
        value = static_cast<std::remove_reference_t<decltype(value)>>(from[i * kRows + r]);
      }
    }
  };
  scatter(points_, to.codes.points);
  scatter(signs_, to.codes.signs);
  scatter(supers_, to.codes.scales);
  scatter(subs_, to.codes.sub_scales);
  for (int64_t r = 0; r < rows; ++r) to.row_loss[static_cast<size_t>(first + r)] = RowLoss(r);
}

}  // namespace bitwright::worker
