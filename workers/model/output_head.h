#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "proto/contract/memory_cuts.h"
#include "workers/model/block_runner.h"

namespace bitwright::worker {

// The output head of a model, as HeadSpec has it, behind the final norm.
class OutputHead {
 public:
  // Keeps the head on the device where it takes at most `most_bytes` there; a larger one is loaded tile by tile each
  // time, which costs about a quarter more time. `runner` must outlive the object, and so must `table`, from which the
  // head's rows come in place of the checkpoint where there is one.
  explicit OutputHead(const BlockRunner& runner, int64_t most_bytes = kMostHeadBytes,
                      const TableSource* table = nullptr);

  int64_t vocab() const { return vocab_; }
  // Of `rows` rows, how many to make logits of at a time.
  int64_t RowsAtATime(int64_t rows) const { return LogitRows(vocab_, rows); }

  // logits [rows, vocab] of hidden [rows, hidden] after the final norm.
  void Logits(const Matrix& hidden, const Matrix& logits) const;

  // One label for each row of hidden, drawn from the softmax of its logits by its uniform number in [0, 1).
  void Sample(const Matrix& hidden, std::span<const double> uniforms, std::span<int32_t> labels) const;

  // Gets rows of hidden and, behind them, the gradient with respect to their logits before the cap.
  using LogitsTap = std::function<void(const Matrix& hidden, const Matrix& dlogits)>;
  // d [rows, hidden] becomes the gradient of Σ −log softmax(logits)[label] with respect to hidden; a row of label −1
  // counts for nothing. losses gets each row's term.
  void LossBack(const Matrix& hidden, std::span<const int32_t> labels, std::span<double> losses, const Matrix& d,
                const LogitsTap& tap = nullptr) const;

 private:
  // Calls each(first row of the head, those rows on the device) for all of the head.
  template <typename F>
  void ForEachTile(const F& each) const;

  DeviceMatrix LoadTile(int64_t first, int64_t rows) const;

  const BlockRunner& runner_;
  const TableSource* table_;
  const int64_t vocab_;
  DeviceMatrix head_;  // none when the head is large
};

}  // namespace bitwright::worker
