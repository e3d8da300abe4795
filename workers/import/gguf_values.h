#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "absl/status/status.h"
#include "workers/import/plain_model.h"
#include "workers/import/split_gguf.h"
#include "workers/targets/gguf_source.h"
#include "workers/tensor/dtype.h"

namespace bitwright::worker {

// The row of the file at which the checkpoint's `row` stands: the inverse of SourceRow.
constexpr int64_t FileRow(int64_t row, int64_t head_dim) {
  if (head_dim == 0) return row;
  const int64_t within = row % head_dim, half = head_dim / 2;
  return row - within + (within < half ? 2 * within : 2 * (within - half) + 1);
}
static_assert(FileRow(SourceRow(13, 8), 8) == 13 && SourceRow(FileRow(6, 8), 8) == 6);

// A tensor of the checkpoint within a tensor of a GGUF: a matrix [rows, columns] of it, or a vector (columns 1).
// Thread-safe.
class GgufValues {
 public:
  // `first`: the row of the file's tensor, all dimensions but the last as one, with which it begins.
  GgufValues(SplitGguf::Located tensor, int64_t first, int64_t rows, int64_t columns, const GgufSource& source,
             bool transposed)
      : tensor_(std::move(tensor)),
        first_(first),
        rows_(rows),
        columns_(columns),
        head_dim_(source.rotary_head_dim),
        added_(static_cast<float>(source.added)),
        transposed_(transposed) {}

  // Whether its type is one that is read: F32, F16, BF16, Q8_0.
  bool IsKnown() const;
  // Whether a dtype, F16 or BF16, holds all of its values; of norms to which one was added in f32, numbers that come to
  // the same sums.
  bool Fits(DType dtype) const;
  // All values in the order of the checkpoint, in a dtype that holds them.
  absl::Status Write(DType dtype, const TakeBytes& take) const;

 private:
  // One row of the file.
  void Read(int64_t row, std::span<float> out) const;
  std::span<const std::byte> RowBytes(int64_t row) const;
  void Release(int64_t row, int64_t count) const;
  absl::Status WriteTransposed(DType dtype, const TakeBytes& take) const;

  SplitGguf::Located tensor_;
  int64_t first_, rows_, columns_, head_dim_;
  float added_;
  bool transposed_;  // the checkpoint's is [columns, rows]
};

}  // namespace bitwright::worker
