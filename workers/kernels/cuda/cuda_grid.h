#pragma once

#include "workers/kernels/cuda/cuda_part.h"
#include "workers/kernels/cuda/grid_rows.h"
#include "workers/kernels/grid.h"

namespace bitwright::worker::cuda {

// Rows of one linear on their way through RoundOnGrid.
class CudaGridPart : CudaPart {
 public:
  // weights [rows, inputs]; all outlive this.
  CudaGridPart(const Context& context, const CudaFactor& factor, const Matrix& weights, const Grid& grid);

  // scales: those that are given, [rows, groups]; else none.
  void Round(const GridSteps& steps, std::span<const float> scales);
  // Rows [first, first + rows) of the result.
  void Read(int64_t first, GridRounded& to) const;

 private:
  void FeedBack();
  void FeedBackWhereBetter();
  void Sweep();
  void Refit();
  void FromScales();  // values of the codes that stand, and what follows

  const Grid& grid_;
  const Array<LaneGrid> lanes_;
  const Array<uint8_t> codes_;
  const Array<float> scales_, minima_, sub_scales_, sub_minima_, scale_, minimum_;
  GridRows state_;
};

}  // namespace bitwright::worker::cuda
