#include "workers/quantize/rounding_loss.h"

#include <algorithm>
#include <vector>

#include "proto/base/log.h"
#include "workers/kernels/gemm.h"
#include "workers/tensor/buffer.h"

namespace bitwright::worker {

std::vector<double> RowLosses(std::span<const float> weights, std::span<const float> dequantized, int64_t out,
                              int64_t in, std::span<const float> moment, ThreadPool& pool) {
  CHECK(weights.size() == static_cast<size_t>(out * in) && dequantized.size() == weights.size() &&
        moment.size() == static_cast<size_t>(in * in))
      << out << " " << in;
  constexpr int64_t kRows = 64;
  const int64_t pieces = (out + kRows - 1) / kRows;
  std::vector<double> losses(static_cast<size_t>(out));
  pool.ParallelFor(pieces, [&](int64_t piece, int) {
    const int64_t first = piece * kRows, rows = std::min(kRows, out - first);
    Buffer<float> error(rows * in), product(rows * in);
    for (int64_t i = 0; i < rows * in; ++i) error[i] = weights[first * in + i] - dequantized[first * in + i];
    GemmF32(false, false, rows, in, in, 1.0f, error.data(), in, moment.data(), in, 0.0f, product.data(), in);
    for (int64_t i = 0; i < rows * in; ++i) losses[first + i / in] += static_cast<double>(error[i]) * product[i];
  });
  return losses;
}

}  // namespace bitwright::worker
