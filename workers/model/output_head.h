#pragma once

#include <cstdint>

#include "workers/model/block_runner.h"

namespace bitwright::worker {

// The output head of a model, as HeadSpec has it, behind the final norm.
class OutputHead {
 public:
  // Keeps the head on the device where it takes at most `most_bytes` there; a larger one is loaded tile by tile each
  // time, which costs about a quarter more time. `runner` must outlive the object.
  explicit OutputHead(const BlockRunner& runner, int64_t most_bytes = kMostBytes);
  static constexpr int64_t kMostBytes = int64_t{512} << 20;

  int64_t vocab() const { return vocab_; }

  // logits [rows, vocab] of hidden [rows, hidden] after the final norm.
  void Logits(const Matrix& hidden, const Matrix& logits) const;

 private:
  static constexpr int64_t kTileRows = 4096;  // of a large head

  DeviceMatrix LoadTile(int64_t first, int64_t rows) const;

  const BlockRunner& runner_;
  const int64_t vocab_;
  DeviceMatrix head_;  // none when the head is large
};

}  // namespace bitwright::worker
