#include "workers/evaluate/token_stats.h"

namespace bitwright::worker {
namespace {

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

void TokenStats::AppendToken(const TokenStats& other, size_t token) {
  nll_base.push_back(other.nll_base[token]);
  nll_quantized.push_back(other.nll_quantized[token]);
  kl.push_back(other.kl[token]);
  p_delta.push_back(other.p_delta[token]);
  top1_same.push_back(other.top1_same[token]);
}

TokenStats CompareLogits(Device& device, const Matrix& base, const Matrix& quantized,
                         std::span<const int32_t> targets) {
  std::vector<TokenComparison> tokens(targets.size());
  device.Compare(base, quantized, targets, tokens);
  TokenStats stats;
  for (const TokenComparison& token : tokens) {
    stats.nll_base.push_back(token.nll_base);
    stats.nll_quantized.push_back(token.nll_other);
    stats.kl.push_back(token.kl);
    stats.p_delta.push_back(token.p_delta);
    stats.top1_same.push_back(token.same_top);
  }
  return stats;
}

}  // namespace bitwright::worker
