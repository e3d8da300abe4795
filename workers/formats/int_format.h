#pragma once

#include <compare>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "workers/kernels/pack_codes.h"
#include "workers/kernels/rounding.h"
#include "workers/kernels/site_format.h"
#include "workers/tensor/dtype.h"

namespace bitwright::worker {

// Signed integers with one scale per group of the input dimension: value = code · scale; where they are asymmetric
// (code − zero) · scale, with one integer `zero` per group among the codes.
//
// Range: codes lie in [−2^(bits−1), 2^(bits−1) − 1], two's complement's own range, so no code word is wasted; the
// positive end is one step short of the negative one.
// Widths: 2 bits is the smallest with a zero and both signs; 8 is the largest that compressed-tensors packs.
// Groups: a scale per 32, 64 or 128 neighbouring inputs of a row, or per row ("channel", group_size 0). Smaller groups
// cost 0.5 bit and more per weight, larger ones gain nothing over channel.
//
// Storage (compressed-tensors `pack-quantized`): weight_packed i32 [out, ⌈in·bits/32⌉], weight_scale [out, groups] in
// the weight's dtype, weight_shape i64 [2]; weight_zero_point i32 [⌈out·bits/32⌉, groups], packed down the columns.
//
// Inputs: consumers that multiply integers round what the weights are multiplied with too, and sum codes: only channels
// of 8 bits have one factor for a whole sum. They store codes as they are (`int-quantized`): weight i8 [out, in],
// weight_scale [out, 1].
struct IntFormat {
  static constexpr int kMinBits = 2;
  static constexpr int kMaxBits = 8;
  static constexpr int kChannel = 0;

  int bits = 4;
  int group_size = 128;      // 32, 64, 128 or kChannel
  bool asymmetric = false;   // of groups, 4 or 8 bits
  bool half_scales = false;  // scales, and the weights that come of them, are F16 whatever the model's dtype is
  int input_bits = 0;        // of a code of the input, found for each token as it comes (SiteFormat); 8 or 0

  // Inputs that share a scale, in a row of `in` inputs.
  constexpr int64_t GroupWidth(int64_t in) const { return group_size == kChannel ? in : group_size; }
  constexpr int64_t Groups(int64_t in) const { return group_size == kChannel ? 1 : in / group_size; }
  constexpr bool Fits(int64_t in) const { return in > 0 && (group_size == kChannel || in % group_size == 0); }
  // 32-bit words of a packed row; the last one is padded with zero bits.
  constexpr int64_t WordsPerRow(int64_t in) const { return PackedWords(bits, in); }
  constexpr SiteFormat Input() const { return {input_bits}; }
  // Whether codes are stored as bytes, unpacked.
  constexpr bool plain_codes() const { return input_bits != 0; }
  // Of scales, of a model whose weights are of `type`.
  constexpr DType ScaleDType(DType type) const { return half_scales ? DType::kF16 : type; }
  // In a row of `in` inputs, of a model whose weights are of `type`: what a device rounds to.
  constexpr IntGrid Grid(int64_t in, DType type) const { return {bits, GroupWidth(in), ScaleDType(type)}; }
  // The same as a grid of values, code + 2^(bits−1) in the place of codes. Only of groups.
  worker::Grid Values(DType type) const;

  friend constexpr auto operator<=>(const IntFormat&, const IntFormat&) = default;
};

static_assert(IntFormat{4, 128}.Grid(256, DType::kF32).MinCode() == -8 &&
              IntFormat{4, 128}.Grid(256, DType::kF32).MaxCode() == 7);
static_assert(IntFormat{3, 32}.WordsPerRow(96) == 9 && IntFormat{3, 0}.WordsPerRow(50) == 5);

// Bytes of weight_shape: two i64.
inline constexpr int64_t kWeightShapeBytes = 16;

// Exact bytes of all tensors of a linear [out, in] of a model whose weights have `type` (F32, F16 or BF16), without the
// file's header. out·in must have been checked against overflow (it comes from a tensor that fits a file).
constexpr int64_t StoredBytes(IntFormat format, int64_t out, int64_t in, DType type) {
  if (format.plain_codes()) return out * in + ByteSize(type) * out;
  const int64_t zeros = format.asymmetric ? 4 * PackedWords(format.bits, out) * format.Groups(in) : 0;
  return 4 * out * format.WordsPerRow(in) + ByteSize(format.ScaleDType(type)) * out * format.Groups(in) + zeros +
         kWeightShapeBytes;
}

static_assert(StoredBytes({4, 128}, 256, 512, DType::kBF16) == 256 * 256 + 256 * 4 * 2 + 16);

static_assert(StoredBytes({8, 0, false, false, 8}, 256, 512, DType::kBF16) == 256 * 512 + 256 * 2);

// "int4-g128", "int4-channel", "int4-g128-asym", "int4-g128-f16" (half_scales), "int8-channel-a8" (input_bits).
std::string FormatName(IntFormat format);

// Inverse of FormatName. INVALID_ARGUMENT, reason FORMAT_UNKNOWN.
absl::StatusOr<IntFormat> ParseIntFormat(std::string_view name);

// INVALID_ARGUMENT, reason FORMAT_UNKNOWN, unless it is among those above.
absl::Status CheckFormat(IntFormat format);

// All symmetric ones with scales in the model's dtype and inputs as they are, by (bits, group size; channel last): 7
// · 4. They live as long as the program.
std::span<const IntFormat> AllIntFormats();

// Those of them that rows of `in_features` inputs allow.
std::vector<IntFormat> AllowedIntFormats(int64_t in_features);

}  // namespace bitwright::worker
