#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "workers/evaluate/token_stats.h"
#include "workers/model/output_head.h"

namespace bitwright::worker {

// Compares final hidden states of quantized variants with those of the unquantized model, token by token, through the
// output head for both. The last token of each window has no target and is left out. Not thread-safe.
class HeadComparison {
 public:
  // As OutputHead.
  explicit HeadComparison(const BlockRunner& runner, int64_t most_head_bytes = kMostHeadBytes)
      : runner_(runner), head_(runner, most_head_bytes) {}

  // base and each variant: [windows · window, hidden] after the final norm; ids [windows · window]. One result per
  // variant, each over windows · (window − 1) tokens, window after window.
  std::vector<TokenStats> Compare(const Matrix& base, std::span<const Matrix> variants, std::span<const int32_t> ids);

 private:
  const BlockRunner& runner_;
  const OutputHead head_;
  DeviceMatrix base_logits_, logits_;  // kept from call to call
};

}  // namespace bitwright::worker
