#include "proto/contract/memory_cuts.h"

#include <algorithm>
#include <cmath>

namespace bitwright {
namespace {

constexpr int64_t kMostLogits = 16 << 20;  // that are live at a time
constexpr int64_t kLeastLogitRows = 64;

}  // namespace

int64_t ChunkRows(int64_t row_bytes, int64_t window, int64_t rows) {
  const int64_t most = std::min(kMostChunkRows, kMostChunkBytes / std::max<int64_t>(1, row_bytes));
  return std::min(rows, std::max<int64_t>(1, most / window) * window);
}

int64_t LogitRows(int64_t vocab, int64_t rows) {
  return std::min(rows, std::max(kLeastLogitRows, kMostLogits / std::max<int64_t>(1, vocab)));
}

int64_t KeptStreamStep(int64_t blocks, int64_t stream_bytes, int64_t most_bytes) {
  const bool fits = static_cast<double>(stream_bytes) * static_cast<double>(blocks) <= static_cast<double>(most_bytes);
  return fits ? 1 : static_cast<int64_t>(std::ceil(std::sqrt(static_cast<double>(blocks))));
}

}  // namespace bitwright
