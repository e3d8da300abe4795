#include "workers/model/output_head.h"

#include <algorithm>

namespace bitwright::worker {

OutputHead::OutputHead(const BlockRunner& runner, int64_t most_bytes)
    : runner_(runner), vocab_(runner.model().config().vocab) {
  const int64_t bytes = vocab_ * runner.model().config().hidden * static_cast<int64_t>(sizeof(float));
  if (bytes <= most_bytes) head_ = LoadTile(0, vocab_);
}

DeviceMatrix OutputHead::LoadTile(int64_t first, int64_t rows) const {
  DeviceMatrix tile(runner_.device(), DType::kF32, rows, runner_.model().config().hidden);
  runner_.model().HeadRows(first, runner_.device(), tile.view());
  if (runner_.compute() == Compute::kBf16) return Narrowed(tile, runner_.device());
  return tile;
}

void OutputHead::Logits(const Matrix& hidden, const Matrix& logits) const {
  const HeadSpec& head = runner_.model().config().head;
  Device& device = runner_.device();
  const float factor = static_cast<float>(head.factor);
  if (head_.has_value()) {
    device.Multiply(hidden, {head_.view(), {}, factor}, logits);
  } else {
    for (int64_t first = 0; first < vocab_; first += kTileRows) {
      const DeviceMatrix tile = LoadTile(first, std::min(kTileRows, vocab_ - first));
      device.Multiply(hidden, {tile.view(), {}, factor}, logits.Columns(first, tile.view().rows));
    }
  }
  if (head.soft_cap > 0) device.Cap(static_cast<float>(head.soft_cap), logits);
}

}  // namespace bitwright::worker
