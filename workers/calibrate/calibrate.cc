#include "workers/calibrate/calibrate.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "proto/base/status_macros.h"

namespace bitwright::worker {
namespace {

// Inputs of the four units for one chunk of windows, contiguous.
struct ChunkInputs {
  std::array<Buffer<float>, kTapPoints> rows;  // [chunk · window, in]

  ChunkInputs(const BlockSpec& block, int64_t rows_per_chunk) {
    for (size_t u = 0; u < rows.size(); ++u) rows[u] = Buffer<float>(rows_per_chunk * block.units[u].in());
  }
  void Store(int64_t first_row, int64_t count, TapPoint point, const float* from, int64_t n, int64_t stride) {
    float* to = rows[static_cast<size_t>(point)].data() + first_row * n;
    for (int64_t r = 0; r < count; ++r)
      std::memcpy(to + r * n, from + r * stride, static_cast<size_t>(n) * sizeof(float));
  }
};

}  // namespace

absl::StatusOr<std::vector<UnitStatistics>> Calibrate(WindowRunner& runner, int64_t begin, int64_t end, int64_t windows,
                                                      float* x, const std::function<void(double)>& progress) {
  const int64_t window = runner.decoder().window();
  const int64_t chunk = std::min(std::max<int64_t>(SecondMoments::kChunkRows / window, 1), windows);
  std::vector<UnitStatistics> all;
  for (int64_t b = begin; b < end; ++b) {
    const BlockSpec spec = DescribeBlock(runner.model().config(), b);
    ABSL_ASSIGN_OR_RETURN(const BlockWeights block,
                          runner.model().LoadBlock(b, runner.decoder().compute(), runner.pool()));
    ChunkInputs inputs(spec, chunk * window);
    std::vector<int64_t> columns;
    std::vector<const float*> pointers;
    for (size_t u = 0; u < spec.units.size(); ++u) {
      columns.push_back(spec.units[u].in());
      pointers.push_back(inputs.rows[u].data());
    }
    SecondMoments moments(columns, runner.pool());
    for (int64_t first = 0; first < windows; first += chunk) {
      const int64_t count = std::min(chunk, windows - first);
      runner.RunBlock(block, count, x + first * runner.WindowElements(),
                      [&](int64_t w, TapPoint point, const float* rows, int64_t n, int64_t stride) {
                        inputs.Store(w * window, window, point, rows, n, stride);
                      });
      moments.Add(pointers, count * window);
      progress((static_cast<double>(b - begin) + static_cast<double>(first + count) / static_cast<double>(windows)) /
               static_cast<double>(end - begin));
    }
    std::vector<InputStatistics> finished = moments.Finish();
    for (size_t u = 0; u < spec.units.size(); ++u) all.push_back({spec.units[u].name, std::move(finished[u])});
  }
  return all;
}

}  // namespace bitwright::worker
