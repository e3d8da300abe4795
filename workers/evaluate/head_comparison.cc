#include "workers/evaluate/head_comparison.h"

#include <algorithm>

#include "workers/kernels/elementwise.h"
#include "workers/kernels/gemm.h"

namespace bitwright {
namespace {

constexpr int64_t kRows = 64;  // tokens of one piece: their logits for base and one variant are live

}  // namespace

HeadComparison::HeadComparison(const Model& model, Compute compute, ThreadPool& pool)
    : pool_(pool), hidden_(model.config().hidden), vocab_(model.config().vocab) {
  head_.out = vocab_;
  head_.in = hidden_;
  head_.weight = model.Head(pool);
  PrepareUnit(head_, compute, pool);
}

void HeadComparison::Logits(const float* hidden, int64_t rows, float* logits) const {
  if (head_.weight_bf16.size() == 0) {
    GemmF32(false, true, rows, vocab_, hidden_, 1.0f, hidden, hidden_, head_.weight.data(), hidden_, 0.0f, logits,
            vocab_);
    return;
  }
  std::vector<uint16_t> narrow(static_cast<size_t>(rows * hidden_));
  NarrowToBf16(hidden, rows * hidden_, narrow.data());
  GemmBf16(rows, vocab_, hidden_, narrow.data(), hidden_, head_.weight_bf16.data(), hidden_, logits, vocab_);
}

std::vector<TokenStats> HeadComparison::Compare(int64_t windows, int64_t window, const float* base,
                                                std::span<const float* const> variants,
                                                std::span<const int32_t> ids) const {
  const int64_t scored = window - 1;
  const int64_t pieces_per_window = (scored + kRows - 1) / kRows;
  const int64_t pieces = windows * pieces_per_window;
  std::vector<std::vector<TokenStats>> parts(variants.size(), std::vector<TokenStats>(static_cast<size_t>(pieces)));
  std::vector<Buffer<float>> scratch;  // per thread: logits of base and of a variant
  for (int slot = 0; slot < pool_.threads(); ++slot) scratch.emplace_back(2 * std::min(kRows, scored) * vocab_);
  pool_.ParallelFor(pieces, [&](int64_t piece, int slot) {
    const int64_t w = piece / pieces_per_window, row = piece % pieces_per_window * kRows;
    const int64_t rows = std::min(kRows, scored - row), first = w * window + row;
    float* base_logits = scratch[static_cast<size_t>(slot)].data();
    float* logits = base_logits + std::min(kRows, scored) * vocab_;
    const auto targets = ids.subspan(static_cast<size_t>(first + 1), static_cast<size_t>(rows));
    Logits(base + first * hidden_, rows, base_logits);
    ThreadPool serial(1);
    for (size_t v = 0; v < variants.size(); ++v) {
      Logits(variants[v] + first * hidden_, rows, logits);
      parts[v][static_cast<size_t>(piece)] = CompareLogits(base_logits, logits, vocab_, targets, serial);
    }
  });
  std::vector<TokenStats> all(variants.size());
  for (size_t v = 0; v < variants.size(); ++v) {
    for (const TokenStats& part : parts[v]) all[v].Append(part);
  }
  return all;
}

}  // namespace bitwright
