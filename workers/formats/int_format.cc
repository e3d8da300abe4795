#include "workers/formats/int_format.h"

#include <array>

#include "absl/strings/str_cat.h"
#include "workers/formats/formats_errors.h"

namespace bitwright::worker {
namespace {

// In the order of AllowedIntFormats.
constexpr int kGroupSizes[] = {32, 64, 128, IntFormat::kChannel};

constexpr std::array<float, 256> kCodes = [] {
  std::array<float, 256> codes{};
  for (int i = 0; i < 256; ++i) codes[static_cast<size_t>(i)] = static_cast<float>(i - 128);
  return codes;
}();

ScaleType ScaleTypeOf(DType type) {
  return type == DType::kF32 ? ScaleType::kF32 : type == DType::kF16 ? ScaleType::kF16 : ScaleType::kBF16;
}

}  // namespace

Grid IntFormat::Values(DType type) const {
  worker::Grid grid;
  const auto half = size_t{1} << (bits - 1);
  grid.codebook = std::span(kCodes).subspan(128 - half, 2 * half);
  grid.group = group_size;
  grid.negative_scales = true;
  grid.scale_type = ScaleTypeOf(type);
  grid.value_type = type;
  return grid;
}

std::string FormatName(IntFormat format) {
  if (format.group_size == IntFormat::kChannel) return absl::StrCat("int", format.bits, "-channel");
  return absl::StrCat("int", format.bits, "-g", format.group_size);
}

absl::StatusOr<IntFormat> ParseIntFormat(std::string_view name) {
  for (int bits = IntFormat::kMinBits; bits <= IntFormat::kMaxBits; ++bits) {
    for (const int group_size : kGroupSizes) {
      if (name == FormatName({bits, group_size})) return IntFormat{bits, group_size};
    }
  }
  return FormatUnknownError(name);
}

absl::Status CheckFormat(IntFormat format) {
  for (const int group_size : kGroupSizes) {
    if (format.group_size == group_size && format.bits >= IntFormat::kMinBits && format.bits <= IntFormat::kMaxBits) {
      return absl::OkStatus();
    }
  }
  return FormatUnknownError(FormatName(format));
}

std::span<const IntFormat> AllIntFormats() {
  static const auto& formats = *new std::vector<IntFormat>([] {
    std::vector<IntFormat> all;
    for (int bits = IntFormat::kMinBits; bits <= IntFormat::kMaxBits; ++bits) {
      for (const int group_size : kGroupSizes) all.push_back({bits, group_size});
    }
    return all;
  }());
  return formats;
}

std::vector<IntFormat> AllowedIntFormats(int64_t in_features) {
  std::vector<IntFormat> formats;
  for (const IntFormat format : AllIntFormats()) {
    if (format.Fits(in_features)) formats.push_back(format);
  }
  return formats;
}

}  // namespace bitwright::worker
