#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "workers/evaluate/token_stats.h"
#include "workers/model/weights.h"

namespace bitwright::worker {

// Compares final hidden states of quantized variants with those of the unquantized model, token by token, through the
// output head: logits = hidden · headᵀ for both. The last token of each window has no target and is left out.
// Thread-safe except that it runs the pool itself.
class HeadComparison {
 public:
  // Keeps the head as f32 [vocab, hidden] (or as bf16 for Compute::kBf16) where that takes at most
  // `most_head_bytes`; a larger head is widened tile by tile each time, which costs about a quarter more time.
  // `model` must outlive the object.
  HeadComparison(const Model& model, Compute compute, ThreadPool& pool, int64_t most_head_bytes = kMostHeadBytes);
  static constexpr int64_t kMostHeadBytes = int64_t{512} << 20;

  // base and each variant: [windows, window, hidden] after the final norm; ids [windows · window]. One result per
  // variant, each over windows · (window − 1) tokens, window after window.
  std::vector<TokenStats> Compare(int64_t windows, int64_t window, const float* base,
                                  std::span<const float* const> variants, std::span<const int32_t> ids) const;

 private:
  static constexpr int64_t kTileRows = 1024;  // of a large head
  struct Scratch;
  void Logits(const float* hidden, int64_t rows, float* logits, Scratch& scratch) const;
  void Product(const UnitWeights& head, const float* hidden, int64_t rows, float* logits, Scratch& scratch) const;

  const Model& model_;
  Compute compute_;
  ThreadPool& pool_;
  int64_t hidden_;
  int64_t vocab_;
  UnitWeights head_;  // without weights when the head is large
};

}  // namespace bitwright::worker
