#pragma once

#include <algorithm>
#include <cstdint>

#include "workers/kernels/cpu/cpu_factor.h"
#include "workers/kernels/cpu/row_lanes.h"
#include "workers/kernels/device.h"
#include "workers/tensor/buffer.h"

namespace bitwright::worker {

// 64 rows of one linear on their way through rounding, whatever their values lie on: W, the values Q and what follows
// from both. Scratch of one thread; arrays are [in, 64] unless stated.
class LanePiece {
 protected:
  // The factor has its moment H'.
  explicit LanePiece(const CpuFactor& factor);

  // Rows [first, first + 64) of the weights, dead columns as zeros.
  void GatherWeights(const Matrix& weights, int64_t first);
  // R = E H' from the values, and each row's J.
  void FollowValues();
  // to = H' q
  void MultiplyMoment(const float* q, float* to) const;
  // (ΔW H ΔWᵀ)_rr of a lane, undamped.
  double RowLoss(int64_t lane) const;

  // Once over all groups of `group` columns in order. each(group, its own square of H' [·, kLaneBlock], delta) chooses
  // its values anew and leaves in delta [group, 64] what they rose by; R follows.
  template <typename Each>
  void SweepGroups(int64_t group, const Each& each);

  const CpuFactor& factor_;
  const int64_t in_;
  Buffer<float> w_, q_, r_, e_;
  Buffer<float> diagonal_;    // [in] of H'
  double j_[kLaneRows] = {};  // of each row

 private:
  // R of the columns behind `end` follows what the block [begin, end) rose by.
  void SpreadBlock(int64_t begin, int64_t end, const float* delta);
};

template <typename Each>
void LanePiece::SweepGroups(int64_t group, const Each& each) {
  Buffer<float> delta(kLaneBlock * kLaneRows), own(kLaneBlock * kLaneBlock);
  for (int64_t begin = 0; begin < in_; begin += kLaneBlock) {
    const int64_t width = std::min(kLaneBlock, in_ - begin);
    for (int64_t j = 0; j < width; ++j) {
      std::copy_n(factor_.moment.data() + (begin + j) * in_ + begin, width, own.data() + j * kLaneBlock);
    }
    for (int64_t j = 0; j < width; j += group) {
      each((begin + j) / group, own.data() + j * (kLaneBlock + 1), delta.data() + j * kLaneRows);
      SubtractProducts(delta.data(), own.data(), j, j + group, j + group, width, r_.data() + begin * kLaneRows);
    }
    SpreadBlock(begin, begin + width, delta.data());
  }
}

}  // namespace bitwright::worker
