#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "workers/base/thread_pool.h"

namespace bitwright::worker {

// What one token tells about a quantized model beside its base, natural logarithms throughout. One element a token, in
// the order of the text; shards are joined with Append in index order.
struct TokenStats {
  std::vector<double> nll_base;       // −log p_base(target)
  std::vector<double> nll_quantized;  // −log p_quantized(target)
  std::vector<double> kl;             // Σ p_base (log p_base − log p_quantized), nats, ≥ 0
  std::vector<double> p_delta;        // p_quantized(target) − p_base(target)
  std::vector<uint8_t> top1_same;     // 1 when both have the same most likely token; among equals the lowest index

  int64_t size() const { return static_cast<int64_t>(kl.size()); }
  void Append(const TokenStats& other);
};

// Statistics of `targets.size()` rows of logits.
//   base, quantized  f32 [tokens, vocabulary], finite (a row with NaN or infinity gives a NaN or infinite statistic,
//                    which Summarize refuses)
//   targets          [tokens], each in [0, vocabulary)
// Exponentials and sums are f64, within a few units of 1e-15; the same bits on every instruction set and any number of
// threads. Pieces of 8 tokens run on the pool.
TokenStats CompareLogits(const float* base, const float* quantized, int64_t vocabulary,
                         std::span<const int32_t> targets, ThreadPool& pool);

}  // namespace bitwright::worker
