#include "workers/evaluate/head_comparison.h"

#include <algorithm>

#include "workers/kernels/elementwise.h"
#include "workers/kernels/gemm.h"

namespace bitwright::worker {
namespace {

constexpr int64_t kRows = 64;  // tokens of one piece: their logits for base and one variant are live

}  // namespace

// What a thread needs: logits of base and of a variant, and a tile of a large head.
struct HeadComparison::Scratch {
  Buffer<float> base, variant;  // [kRows, vocab]
  UnitWeights tile;
  std::vector<uint16_t> narrow;  // bf16 copy of hidden states
};

HeadComparison::HeadComparison(const Model& model, Compute compute, ThreadPool& pool, int64_t most_head_bytes)
    : model_(model), compute_(compute), pool_(pool), hidden_(model.config().hidden), vocab_(model.config().vocab) {
  if (vocab_ * hidden_ * static_cast<int64_t>(sizeof(float)) > most_head_bytes) return;
  head_.out = vocab_;
  head_.in = hidden_;
  head_.weight = model.Head(pool);
  PrepareUnit(head_, compute, pool);
}

// logits[rows, head.out], rows `vocab` apart.
void HeadComparison::Product(const UnitWeights& head, const float* hidden, int64_t rows, float* logits,
                             Scratch& scratch) const {
  if (compute_ == Compute::kF32) {
    GemmF32(false, true, rows, head.out, hidden_, 1.0f, hidden, hidden_, head.weight.data(), hidden_, 0.0f, logits,
            vocab_);
    return;
  }
  scratch.narrow.resize(static_cast<size_t>(rows * hidden_));
  NarrowToBf16(hidden, rows * hidden_, scratch.narrow.data());
  GemmBf16(rows, head.out, hidden_, scratch.narrow.data(), hidden_, head.weight_bf16.data(), hidden_, logits, vocab_);
}

void HeadComparison::Logits(const float* hidden, int64_t rows, float* logits, Scratch& scratch) const {
  if (head_.weight.size() > 0) {
    Product(head_, hidden, rows, logits, scratch);
    return;
  }
  ThreadPool serial(1);
  scratch.tile.in = hidden_;
  if (scratch.tile.weight.size() == 0) scratch.tile.weight = Buffer<float>(kTileRows * hidden_);
  for (int64_t first = 0; first < vocab_; first += kTileRows) {
    scratch.tile.out = std::min(kTileRows, vocab_ - first);
    model_.HeadRows(first, scratch.tile.out, scratch.tile.weight.data());
    PrepareUnit(scratch.tile, compute_, serial);
    Product(scratch.tile, hidden, rows, logits + first, scratch);
  }
}

std::vector<TokenStats> HeadComparison::Compare(int64_t windows, int64_t window, const float* base,
                                                std::span<const float* const> variants,
                                                std::span<const int32_t> ids) const {
  const int64_t scored = window - 1;
  const int64_t pieces_per_window = (scored + kRows - 1) / kRows;
  const int64_t pieces = windows * pieces_per_window;
  std::vector<std::vector<TokenStats>> parts(variants.size(), std::vector<TokenStats>(static_cast<size_t>(pieces)));
  std::vector<Scratch> scratch(static_cast<size_t>(pool_.threads()));
  for (Scratch& s : scratch) {
    s.base = Buffer<float>(std::min(kRows, scored) * vocab_);
    s.variant = Buffer<float>(std::min(kRows, scored) * vocab_);
  }
  pool_.ParallelFor(pieces, [&](int64_t piece, int slot) {
    const int64_t w = piece / pieces_per_window, row = piece % pieces_per_window * kRows;
    const int64_t rows = std::min(kRows, scored - row), first = w * window + row;
    Scratch& s = scratch[static_cast<size_t>(slot)];
    const auto targets = ids.subspan(static_cast<size_t>(first + 1), static_cast<size_t>(rows));
    Logits(base + first * hidden_, rows, s.base.data(), s);
    ThreadPool serial(1);
    for (size_t v = 0; v < variants.size(); ++v) {
      Logits(variants[v] + first * hidden_, rows, s.variant.data(), s);
      parts[v][static_cast<size_t>(piece)] = CompareLogits(s.base.data(), s.variant.data(), vocab_, targets, serial);
    }
  });
  std::vector<TokenStats> all(variants.size());
  for (size_t v = 0; v < variants.size(); ++v) {
    for (const TokenStats& part : parts[v]) all[v].Append(part);
  }
  return all;
}

}  // namespace bitwright::worker
