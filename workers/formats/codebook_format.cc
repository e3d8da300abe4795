#include "workers/formats/codebook_format.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numeric>

#include "absl/strings/str_cat.h"
#include "workers/formats/formats_errors.h"
#include "workers/kernels/stored_scale.h"
#include "workers/tensor/stored_float.h"

namespace bitwright::worker {
namespace {

constexpr int kGroupSizes[] = {32, 64, 128, CodebookFormat::kChannel};
constexpr int64_t kMostGroup = 128;  // columns that kernels round with one scale

// Columns of a grid's group: those of a row repeat their scale.
int64_t GridGroup(CodebookFormat format, int64_t in) {
  return format.group_size == CodebookFormat::kChannel ? std::gcd(in, kMostGroup) : format.group_size;
}

// Where the bits of code `index` of a row begin within its bytes, lowest first.
int64_t FirstBit(CodebookFormat format, size_t index) {
  const auto at = static_cast<int64_t>(index) * format.bits;
  return format.type == CodebookFormat::Type::kNf4 ? at ^ 4 : at;
}

}  // namespace

std::string FormatName(CodebookFormat format) {
  std::string name = format.type == CodebookFormat::Type::kNf4 ? "nf" : "kmeans";
  absl::StrAppend(&name, format.bits, "-");
  if (format.group_size == CodebookFormat::kChannel) return name + "channel";
  return absl::StrCat(name, "g", format.group_size);
}

absl::StatusOr<CodebookFormat> ParseCodebookFormat(std::string_view name) {
  for (const auto type : {CodebookFormat::Type::kNf4, CodebookFormat::Type::kKMeans}) {
    for (int bits = CodebookFormat::kMinBits; bits <= CodebookFormat::kMaxBits; ++bits) {
      for (const int group_size : kGroupSizes) {
        const CodebookFormat format{type, bits, group_size};
        if (CheckFormat(format).ok() && name == FormatName(format)) return format;
      }
    }
  }
  return FormatUnknownError(name);
}

absl::Status CheckFormat(CodebookFormat format) {
  const bool grouped = std::ranges::find(kGroupSizes, format.group_size) != std::end(kGroupSizes);
  const int least = format.type == CodebookFormat::Type::kNf4 ? 4 : CodebookFormat::kMinBits;
  const bool sized = format.bits >= least && format.bits <= CodebookFormat::kMaxBits;
  return grouped && sized ? absl::OkStatus() : FormatUnknownError(FormatName(format));
}

Grid GridOf(CodebookFormat format, int64_t in, DType type, std::span<const float> table, bool given) {
  Grid grid;
  grid.codebook = table;
  grid.group = GridGroup(format, in);
  grid.scale_type = ScaleTypeOf(format.ScaleDType(type));
  grid.value_type = format.ScaleDType(type);
  grid.given_scales = given || format.group_size == CodebookFormat::kChannel;
  return grid;
}

std::vector<float> AbsMaxScales(CodebookFormat format, std::span<const float> weights, int64_t in, DType type) {
  const DType stored = format.ScaleDType(type);
  const size_t width = static_cast<size_t>(in / format.Groups(in));
  const size_t repeats = width / static_cast<size_t>(GridGroup(format, in));
  std::vector<float> scales;
  scales.reserve(weights.size() / width * repeats);
  for (size_t begin = 0; begin < weights.size(); begin += width) {
    float most = 0;
    for (const float w : weights.subspan(begin, width)) most = std::max(most, std::abs(w));
    const float scale = StoredScale(ScaleTypeOf(stored), most);
    scales.insert(scales.end(), repeats, scale > 0 ? scale : Epsilon(stored));
  }
  return scales;
}

void PackCodebook(CodebookFormat format, std::span<const uint8_t> codes, std::span<uint8_t> bytes) {
  std::ranges::fill(bytes, uint8_t{0});
  for (size_t i = 0; i < codes.size(); ++i) {
    const int64_t bit = FirstBit(format, i);
    const auto byte = static_cast<size_t>(bit / 8);
    const unsigned shifted = unsigned{codes[i]} << (bit % 8);
    bytes[byte] |= static_cast<uint8_t>(shifted);
    if (bit % 8 + format.bits > 8) bytes[byte + 1] |= static_cast<uint8_t>(shifted >> 8);
  }
}

void UnpackCodebook(CodebookFormat format, std::span<const uint8_t> bytes, std::span<uint8_t> codes) {
  const unsigned mask = (1u << format.bits) - 1;
  for (size_t i = 0; i < codes.size(); ++i) {
    const int64_t bit = FirstBit(format, i);
    const auto byte = static_cast<size_t>(bit / 8);
    unsigned word = bytes[byte];
    if (bit % 8 + format.bits > 8) word |= unsigned{bytes[byte + 1]} << 8;
    codes[i] = static_cast<uint8_t>(word >> (bit % 8) & mask);
  }
}

}  // namespace bitwright::worker
