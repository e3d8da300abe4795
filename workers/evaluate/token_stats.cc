#include "workers/evaluate/token_stats.h"

#include <algorithm>
#include <cmath>

#include "proto/base/log.h"
#include "workers/evaluate/logit_rows.h"

namespace bitwright::worker {
namespace {

constexpr int64_t kPiece = 8;  // tokens

void CompareToken(const float* base, const float* quantized, int64_t n, int32_t target, int64_t t, TokenStats& stats) {
  CHECK(target >= 0 && target < n) << "target " << target << " of " << n;
  const RowMaximum top_b = FindMaximum(base, n), top_q = FindMaximum(quantized, n);
  const PairSums sums = SumPair(base, top_b.value, quantized, top_q.value, n);
  const double log_b = std::log(sums.base), log_q = std::log(sums.quantized);
  const double nll_b = log_b - (static_cast<double>(base[target]) - top_b.value);
  const double nll_q = log_q - (static_cast<double>(quantized[target]) - top_q.value);
  stats.nll_base[t] = nll_b;
  stats.nll_quantized[t] = nll_q;
  // Never negative but for rounding; a NaN must stay one.
  const double kl = sums.difference / sums.base - log_b + log_q;
  stats.kl[t] = kl < 0 ? 0 : kl;
  stats.p_delta[t] = std::exp(-nll_q) - std::exp(-nll_b);
  stats.top1_same[t] = top_b.index == top_q.index;
}

template <typename Body>
void ForEachToken(int64_t tokens, ThreadPool& pool, const Body& body) {
  pool.ParallelFor((tokens + kPiece - 1) / kPiece, [&](int64_t piece, int) {
    const int64_t end = std::min((piece + 1) * kPiece, tokens);
    for (int64_t t = piece * kPiece; t < end; ++t) body(t);
  });
}

template <typename T>
void AppendAll(std::vector<T>& to, const std::vector<T>& from) {
  to.insert(to.end(), from.begin(), from.end());
}

}  // namespace

void TokenStats::Append(const TokenStats& other) {
  AppendAll(nll_base, other.nll_base);
  AppendAll(nll_quantized, other.nll_quantized);
  AppendAll(kl, other.kl);
  AppendAll(p_delta, other.p_delta);
  AppendAll(top1_same, other.top1_same);
}

TokenStats CompareLogits(const float* base, const float* quantized, int64_t vocabulary,
                         std::span<const int32_t> targets, ThreadPool& pool) {
  const size_t tokens = targets.size();
  TokenStats stats{std::vector<double>(tokens), std::vector<double>(tokens), std::vector<double>(tokens),
                   std::vector<double>(tokens), std::vector<uint8_t>(tokens)};
  ForEachToken(static_cast<int64_t>(tokens), pool, [&](int64_t t) {
    CompareToken(base + t * vocabulary, quantized + t * vocabulary, vocabulary, targets[t], t, stats);
  });
  return stats;
}

}  // namespace bitwright::worker
