#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "workers/evaluate/token_stats.h"
#include "workers/model/weights.h"

namespace bitwright {

// Compares final hidden states of quantized variants with those of the unquantized model, token by token, through the
// output head: logits = hidden · headᵀ for both. The last token of each window has no target and is left out.
// Thread-safe except that it runs the pool itself.
class HeadComparison {
 public:
  // Keeps the head as f32 [vocab, hidden] (and as bf16 for Compute::kBf16).
  HeadComparison(const Model& model, Compute compute, ThreadPool& pool);

  // base and each variant: [windows, window, hidden] after the final norm; ids [windows · window]. One result per
  // variant, each over windows · (window − 1) tokens, window after window.
  std::vector<TokenStats> Compare(int64_t windows, int64_t window, const float* base,
                                  std::span<const float* const> variants, std::span<const int32_t> ids) const;

 private:
  void Logits(const float* hidden, int64_t rows, float* logits) const;

  ThreadPool& pool_;
  int64_t hidden_;
  int64_t vocab_;
  UnitWeights head_;
};

}  // namespace bitwright
