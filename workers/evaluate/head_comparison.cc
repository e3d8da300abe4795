#include "workers/evaluate/head_comparison.h"

#include <algorithm>

namespace bitwright::worker {

std::vector<TokenStats> HeadComparison::Compare(const Matrix& base, std::span<const Matrix> variants,
                                                std::span<const int32_t> ids) {
  Device& device = runner_.device();
  const OutputHead& variant_head = variant_head_ ? *variant_head_ : head_;
  const int64_t window = runner_.window(), most = head_.RowsAtATime(base.rows);
  for (DeviceMatrix* logits : {&base_logits_, &logits_}) {
    if (logits->view().rows < most) *logits = DeviceMatrix(device, DType::kF32, most, head_.vocab());
  }
  std::vector<TokenStats> all(variants.size());
  // The last token of a window is compared like the others and left out afterwards: so rows need not be cut there.
  std::vector<int32_t> targets(ids.begin(), ids.end());
  std::rotate(targets.begin(), targets.begin() + 1, targets.end());
  for (int64_t first = 0; first < base.rows; first += most) {
    const int64_t rows = std::min(most, base.rows - first);
    const auto own = std::span(targets).subspan(static_cast<size_t>(first), static_cast<size_t>(rows));
    const Matrix base_rows = base_logits_.view().Rows(0, rows), variant_rows = logits_.view().Rows(0, rows);
    head_.Logits(base.Rows(first, rows), base_rows);
    for (size_t v = 0; v < variants.size(); ++v) {
      variant_head.Logits(variants[v].Rows(first, rows), variant_rows);
      const TokenStats stats = CompareLogits(device, base_rows, variant_rows, own);
      for (int64_t r = 0; r < rows; ++r) {
        if ((first + r + 1) % window != 0) all[v].AppendToken(stats, static_cast<size_t>(r));
      }
    }
  }
  return all;
}

}  // namespace bitwright::worker
