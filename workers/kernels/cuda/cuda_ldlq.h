#pragma once

#include <algorithm>
#include <functional>

#include "workers/kernels/cuda/cuda_factor.h"
#include "workers/kernels/cuda/ldlq_panel.h"
#include "workers/kernels/rounding.h"

namespace bitwright::worker::cuda {

// each(first, rows) for so many rows of [·, stride] at a time that scratch of that shape takes at most 256 MiB: a cut
// that depends on shapes alone.
template <typename Each>
void ForRowParts(int64_t rows, int64_t stride, const Each& each) {
  constexpr int64_t kMostElements = int64_t{1} << 26;
  const int64_t most = std::max<int64_t>(1, kMostElements / stride);
  for (int64_t first = 0; first < rows; first += most) each(first, std::min(most, rows - first));
}

ScaleSearch SearchOf(const IntGrid& grid, ScaleMethod method);

// All panels of rows on their way through LDLQ: round(panel) rounds within it. `sums` is written here, as loss and
// squared are.
void ForPanels(const Context& context, const CudaFactor& factor, const LdlqRows& rows, float* sums,
               const std::function<cudaError_t(const LdlqPanel&)>& round);

// Rows of one linear on their way through LDLQ on one grid after the other.
class CudaLdlq {
 public:
  // weights [rows, inputs]; all outlive this.
  CudaLdlq(const Context& context, const CudaFactor& factor, const Matrix& weights);

  // Afterwards the rest holds the result.
  void Round(const IntGrid& grid, const LdlqOptions& options);

  const Array<int8_t>& codes() const { return codes_; }    // [rows, inputs] by column
  const Array<float>& scales() const { return *scales_; }  // [rows, groups]
  const Array<double>& loss() const { return loss_; }      // [rows] undamped

 private:
  const Context& context_;
  const CudaFactor& factor_;
  const Wide weights_;
  Array<float> w_, sums_, errors_;
  Array<int8_t> codes_;
  std::unique_ptr<Array<float>> scales_;
  Array<double> loss_, squared_;
};

}  // namespace bitwright::worker::cuda
