#pragma once

#include <compare>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "workers/kernels/grid.h"
#include "workers/tensor/dtype.h"

namespace bitwright::worker {

// Codes that are indices into a table of values: value = table[code] · scale, rounded to the type of the scales; one
// scale per group of the input dimension. A scale is at first the largest |w| of its group, so that tables lie in [−1,
// 1].
//
//   format    table                                              scales            bits (group 64, BF16)
//   nf4       kNf4Values, for all linears                        f32               4.5
//   kmeansB   2^B values of the linear, B = 2, 3, 4, f32         the model's dtype B + 0.25
//
// NF4: quantiles of the normal distribution, each code alike often (Dettmers et al., QLoRA, arXiv 2305.14314, section
// 3). K-means: the table of least Σ h_j (w_j − table[code] · scale)² at those scales, h the diagonal of H (Kim et al.,
// SqueezeLLM, arXiv 2306.07629, section 4.1, which has a table for each row).
//
// Groups: 32, 64 or 128 neighbouring inputs of a row, or the row ("channel").
// Storage: weight_packed u8 [out, in · bits / 8]: a dense stream per row. Of NF4 the earlier of two codes in the high
// nibble, as bitsandbytes has it, where weight_absmax f32 [out, groups] are its `absmax` of blocks of so many values;
// of k-means lowest bit first, weight_scale [out, groups] and weight_table f32 [2^bits]. No target stores it.
struct CodebookFormat {
  enum class Type : uint8_t { kNf4, kKMeans };
  static constexpr int kChannel = 0;
  static constexpr int kMinBits = 2;  // of k-means
  static constexpr int kMaxBits = 4;

  Type type = Type::kNf4;
  int bits = 4;
  int group_size = 64;

  constexpr int64_t Groups(int64_t in) const { return group_size == kChannel ? 1 : in / group_size; }
  // Whole bytes in a row, too.
  constexpr bool Fits(int64_t in) const { return in > 0 && in % (group_size == kChannel ? 8 : group_size) == 0; }
  constexpr int64_t RowBytes(int64_t in) const { return in * bits / 8; }
  constexpr size_t values() const { return size_t{1} << bits; }
  constexpr DType ScaleDType(DType type_of_weights) const { return type == Type::kNf4 ? DType::kF32 : type_of_weights; }

  friend constexpr auto operator<=>(const CodebookFormat&, const CodebookFormat&) = default;
};

static_assert(CodebookFormat{}.RowBytes(256) == 128 && CodebookFormat{}.Groups(256) == 4);
static_assert(CodebookFormat{CodebookFormat::Type::kKMeans, 3, 0}.RowBytes(24) == 9);

// As bitsandbytes publishes them (bitsandbytes/functional.py, create_normal_map and the kernels' table), rising.
inline constexpr float kNf4Values[16] = {
    -1.0f,
    -0.6961928009986877f,
    -0.5250730514526367f,
    -0.39491748809814453f,
    -0.28444138169288635f,
    -0.18477343022823334f,
    -0.09105003625154495f,
    0.0f,
    0.07958029955625534f,
    0.16093020141124725f,
    0.24611230194568634f,
    0.33791524171829224f,
    0.44070982933044434f,
    0.5626170039176941f,
    0.7229568362236023f,
    1.0f,
};

// "nf4-g64", "nf4-channel", "kmeans3-g128".
std::string FormatName(CodebookFormat format);
// Inverse of FormatName. INVALID_ARGUMENT, reason FORMAT_UNKNOWN.
absl::StatusOr<CodebookFormat> ParseCodebookFormat(std::string_view name);
// INVALID_ARGUMENT, reason FORMAT_UNKNOWN, unless it is among those above.
absl::Status CheckFormat(CodebookFormat format);

// Values that rows of `in` inputs may take, of a model whose weights have `type`. `table` must outlive the grid.
// `given`: its scales are brought (GridSteps::scales), as those of rows always are.
Grid GridOf(CodebookFormat format, int64_t in, DType type, std::span<const float> table, bool given);

// The largest |w| of each group of weights [out, in], as scales that such a grid stores, in its groups; epsilon of
// their type where that is 0.
std::vector<float> AbsMaxScales(CodebookFormat format, std::span<const float> weights, int64_t in, DType type);

// Codes of a row to its RowBytes, and back. Thread-safe.
void PackCodebook(CodebookFormat format, std::span<const uint8_t> codes, std::span<uint8_t> bytes);
void UnpackCodebook(CodebookFormat format, std::span<const uint8_t> bytes, std::span<uint8_t> codes);

}  // namespace bitwright::worker
