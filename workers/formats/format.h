#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "workers/formats/block_type.h"
#include "workers/formats/codebook_format.h"
#include "workers/formats/float_format.h"
#include "workers/formats/int_format.h"
#include "workers/tensor/tensor.h"

namespace bitwright::worker {

// The weights as they are, in the model's dtype.
struct PlainFormat {
  friend constexpr auto operator<=>(PlainFormat, PlainFormat) = default;
};

// How the values of a linear are stored: one alternative for each kind of format, whose specification stands on its
// type. What is asked of every format is below; nothing outside this folder and the target that stores a format asks
// which kind it is.
using Format = std::variant<IntFormat, BlockType, FloatFormat, PlainFormat, CodebookFormat>;

// "int4-g128", "Q4_K", "nvfp4", "unquantized", "nf4-g64".
std::string FormatName(const Format& format);
// Inverse of FormatName. INVALID_ARGUMENT, reason FORMAT_UNKNOWN.
absl::StatusOr<Format> ParseFormat(std::string_view name);

// Integers without zero points, which devices round and decode by themselves; nothing of other formats.
const IntFormat* SymmetricIntegers(const Format& format);

// How consumers round the input of a linear in the format.
SiteFormat InputOf(const Format& format);

// Bits of a code, without what scales take: formats of one width lose alike.
int WidthOf(const Format& format);
// Inputs that share a scale; 0: a whole row.
int64_t GroupSizeOf(const Format& format);
// Whether rows of `in` inputs can be stored.
bool Fits(const Format& format, int64_t in);

inline constexpr std::string_view kBlocksSuffix = ".weight_blocks", kPlainSuffix = ".weight";

// A tensor of which a linear's stored form consists; its name is the linear's with `suffix` behind it.
struct StoredTensor {
  std::string_view suffix;  // ".weight_packed"
  DType dtype;
  std::vector<int64_t> shape;

  int64_t bytes() const { return ByteSize(dtype, shape); }
};
// All of a linear [out, in] of a model whose weights have `type`. Of integers and small floats those that
// compressed-tensors asks for, of block types one u8 [out, bytes of a row], of codebooks as on their type.
std::vector<StoredTensor> StoredTensors(const Format& format, int64_t out, int64_t in, DType type);

// Exact bytes of codes, scales and padding of a linear [out, in] of a model whose weights have type `type`: all of
// StoredTensors but "weight_shape".
int64_t CodedBytes(const Format& format, int64_t out, int64_t in, DType type);

// Of two formats of one width, whether `a` stands for it rather than `b` where only one of them is measured.
bool IsMoreTypical(const Format& a, const Format& b);

}  // namespace bitwright::worker
