#include "workers/model/output_head.h"

#include <algorithm>

namespace bitwright::worker {

OutputHead::OutputHead(const BlockRunner& runner, int64_t most_bytes, const TableSource* table)
    : runner_(runner), table_(table), vocab_(runner.model().config().vocab) {
  const int64_t bytes = vocab_ * runner.model().config().hidden * static_cast<int64_t>(sizeof(float));
  if (bytes <= most_bytes) head_ = LoadTile(0, vocab_);
}

DeviceMatrix OutputHead::LoadTile(int64_t first, int64_t rows) const {
  DeviceMatrix tile(runner_.device(), DType::kF32, rows, runner_.model().config().hidden);
  if (table_ != nullptr) {
    table_->rows(first, tile.view());
  } else {
    runner_.model().HeadRows(first, runner_.device(), tile.view());
  }
  if (runner_.compute() == Compute::kBf16) return Narrowed(tile, runner_.device());
  return tile;
}

template <typename F>
void OutputHead::ForEachTile(const F& each) const {
  if (head_.has_value()) return each(0, head_.view());
  for (int64_t first = 0; first < vocab_; first += kHeadTileRows) {
    const DeviceMatrix tile = LoadTile(first, std::min(kHeadTileRows, vocab_ - first));
    each(first, tile.view());
  }
}

void OutputHead::Logits(const Matrix& hidden, const Matrix& logits) const {
  const HeadSpec& head = runner_.model().config().head;
  Device& device = runner_.device();
  ForEachTile([&](int64_t first, const Matrix& w) {
    device.Multiply(hidden, {w, {}, static_cast<float>(head.factor)}, logits.Columns(first, w.rows));
  });
  if (head.soft_cap > 0) device.Cap(static_cast<float>(head.soft_cap), logits);
}

void OutputHead::Sample(const Matrix& hidden, std::span<const double> uniforms, std::span<int32_t> labels) const {
  const int64_t most = RowsAtATime(hidden.rows);
  const DeviceMatrix logits(runner_.device(), DType::kF32, most, vocab_);
  for (int64_t first = 0; first < hidden.rows; first += most) {
    const Matrix rows = logits.view().Rows(0, std::min(most, hidden.rows - first));
    const size_t at = static_cast<size_t>(first), count = static_cast<size_t>(rows.rows);
    Logits(hidden.Rows(first, rows.rows), rows);
    runner_.device().Sample(rows, uniforms.subspan(at, count), labels.subspan(at, count));
  }
}

void OutputHead::LossBack(const Matrix& hidden, std::span<const int32_t> labels, std::span<double> losses,
                          const Matrix& d, const LogitsTap& tap) const {
  const HeadSpec& head = runner_.model().config().head;
  const float cap = static_cast<float>(head.soft_cap);
  Device& device = runner_.device();
  const int64_t most = RowsAtATime(hidden.rows);
  const DeviceMatrix logits(device, DType::kF32, most, vocab_);
  const DeviceMatrix capped = cap > 0 ? DeviceMatrix(device, DType::kF32, most, vocab_) : DeviceMatrix();
  for (int64_t first = 0; first < hidden.rows; first += most) {
    const int64_t rows = std::min(most, hidden.rows - first);
    const Matrix own = logits.view().Rows(0, rows), from = hidden.Rows(first, rows), to = d.Rows(first, rows);
    Logits(from, own);
    if (cap > 0) device.Copy(own, capped.view().Rows(0, rows));
    const size_t at = static_cast<size_t>(first), count = static_cast<size_t>(rows);
    device.LossBack(own, labels.subspan(at, count), losses.subspan(at, count));
    if (cap > 0) device.CapBack(cap, capped.view().Rows(0, rows), own);
    if (tap) tap(from, own);
    device.Fill(0, to);
    ForEachTile([&](int64_t tile, const Matrix& w) {
      device.MultiplyBack(own.Columns(tile, w.rows), w, static_cast<float>(head.factor), to);
    });
  }
}

}  // namespace bitwright::worker
