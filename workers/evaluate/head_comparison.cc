#include "workers/evaluate/head_comparison.h"

#include <algorithm>

namespace bitwright::worker {

std::vector<TokenStats> HeadComparison::Compare(const Matrix& base, std::span<const Matrix> variants,
                                                std::span<const int32_t> ids) {
  Device& device = runner_.device();
  const int64_t window = runner_.window(), scored = window - 1, windows = base.rows / window;
  const int64_t most = std::min(scored, std::max<int64_t>(64, kLogits / head_.vocab()));
  const DeviceMatrix base_logits(device, DType::kF32, most, head_.vocab());
  const DeviceMatrix logits(device, DType::kF32, most, head_.vocab());
  std::vector<TokenStats> all(variants.size());
  for (int64_t w = 0; w < windows; ++w) {
    for (int64_t row = 0; row < scored; row += most) {
      const int64_t first = w * window + row, rows = std::min(most, scored - row);
      const auto targets = ids.subspan(static_cast<size_t>(first + 1), static_cast<size_t>(rows));
      const Matrix base_rows = base_logits.view().Rows(0, rows), variant_rows = logits.view().Rows(0, rows);
      head_.Logits(base.Rows(first, rows), base_rows);
      for (size_t v = 0; v < variants.size(); ++v) {
        head_.Logits(variants[v].Rows(first, rows), variant_rows);
        all[v].Append(CompareLogits(device, base_rows, variant_rows, targets));
      }
    }
  }
  return all;
}

}  // namespace bitwright::worker
