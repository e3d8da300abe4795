#include "workers/kernels/cpu/lane_piece.h"

#include "workers/kernels/cpu/cpu_memory.h"
#include "workers/kernels/cpu/row_gather.h"
#include "workers/kernels/gemm.h"

namespace bitwright::worker {
namespace {

constexpr int64_t kRows = kLaneRows;

}  // namespace

LanePiece::LanePiece(const CpuFactor& factor)
    : factor_(factor),
      in_(factor.head.inputs),
      w_(in_ * kRows),
      q_(in_ * kRows),
      r_(in_ * kRows),
      e_(in_ * kRows),
      diagonal_(in_) {
  for (int64_t j = 0; j < in_; ++j) diagonal_[j] = factor.moment[j * in_ + j];
}

void LanePiece::GatherWeights(const Matrix& weights, int64_t first) {
  GatherRows(WideOf(weights), weights.stride, weights.rows, in_, first, nullptr, factor_.head.dead.data(), w_.data());
}

void LanePiece::MultiplyMoment(const float* q, float* to) const {
  GemmF32(false, false, in_, kRows, in_, 1.0f, factor_.moment.data(), in_, q, kRows, 0.0f, to, kRows);
}

void LanePiece::FollowValues() {
  for (int64_t i = 0; i < in_ * kRows; ++i) e_[i] = w_[i] - q_[i];
  MultiplyMoment(e_.data(), r_.data());
  std::fill_n(j_, kRows, 0.0);
  for (int64_t j = 0; j < in_; ++j) {
    for (int64_t r = 0; r < kRows; ++r) j_[r] += static_cast<double>(e_[j * kRows + r]) * r_[j * kRows + r];
  }
}

double LanePiece::RowLoss(int64_t lane) const {
  double squared = 0;
  for (int64_t j = 0; j < in_; ++j) squared += static_cast<double>(e_[j * kRows + lane]) * e_[j * kRows + lane];
  return j_[lane] - factor_.head.added * squared;
}

void LanePiece::SpreadBlock(int64_t begin, int64_t end, const float* delta) {
  if (end == in_) return;
  GemmF32(false, false, in_ - end, kRows, end - begin, -1.0f, factor_.moment.data() + end * in_ + begin, in_, delta,
          kRows, 1.0f, r_.data() + end * kRows, kRows);
}

}  // namespace bitwright::worker
