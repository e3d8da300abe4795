#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "workers/evaluate/token_stats.h"
#include "workers/model/output_head.h"

namespace bitwright::worker {

// Compares final hidden states of quantized variants with those of the unquantized model, token by token, through the
// output head of both, or one of their own for the variants. The last token of each window has no target and is left
// out. Not thread-safe.
class HeadComparison {
 public:
  // As OutputHead. `table`: the head of the variants.
  explicit HeadComparison(const BlockRunner& runner, int64_t most_head_bytes = kMostHeadBytes,
                          const TableSource* table = nullptr)
      : runner_(runner), head_(runner, most_head_bytes) {
    if (table != nullptr) variant_head_.emplace(runner, most_head_bytes, table);
  }

  // base and each variant: [windows · window, hidden] after the final norm; ids [windows · window]. One result per
  // variant, each over windows · (window − 1) tokens, window after window.
  std::vector<TokenStats> Compare(const Matrix& base, std::span<const Matrix> variants, std::span<const int32_t> ids);

 private:
  const BlockRunner& runner_;
  const OutputHead head_;
  std::optional<OutputHead> variant_head_;  // none: that of both
  DeviceMatrix base_logits_, logits_;       // kept from call to call
};

}  // namespace bitwright::worker
