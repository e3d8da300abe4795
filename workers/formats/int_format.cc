#include "workers/formats/int_format.h"

#include <algorithm>
#include <array>

#include "absl/strings/str_cat.h"
#include "workers/formats/formats_errors.h"
#include "workers/kernels/stored_scale.h"

namespace bitwright::worker {
namespace {

// In the order of AllowedIntFormats.
constexpr int kGroupSizes[] = {32, 64, 128, IntFormat::kChannel};

constexpr std::string_view kAsymmetric = "-asym", kHalfScales = "-f16", kInputs = "-a8";
constexpr int kInputBits = 8;

constexpr std::array<float, 256> kCodes = [] {
  std::array<float, 256> codes{};
  for (int i = 0; i < 256; ++i) codes[static_cast<size_t>(i)] = static_cast<float>(i - 128);
  return codes;
}();

}  // namespace

Grid IntFormat::Values(DType type) const {
  worker::Grid grid;
  const auto half = size_t{1} << (bits - 1);
  grid.codebook = std::span(kCodes).subspan(128 - half, 2 * half);
  grid.group = group_size;
  grid.negative_scales = !asymmetric;
  grid.zero_points = asymmetric;
  grid.scale_type = ScaleTypeOf(ScaleDType(type));
  grid.value_type = ScaleDType(type);
  return grid;
}

std::string FormatName(IntFormat format) {
  std::string name = absl::StrCat("int", format.bits, "-");
  absl::StrAppend(&name, format.group_size == IntFormat::kChannel ? "channel" : absl::StrCat("g", format.group_size));
  if (format.asymmetric) name += kAsymmetric;
  if (format.half_scales) name += kHalfScales;
  if (format.input_bits != 0) absl::StrAppend(&name, "-a", format.input_bits);
  return name;
}

absl::StatusOr<IntFormat> ParseIntFormat(std::string_view name) {
  std::string_view rest = name;
  const auto ends_with = [&rest](std::string_view suffix) {
    if (!rest.ends_with(suffix)) return false;
    rest.remove_suffix(suffix.size());
    return true;
  };
  const bool rounds_inputs = ends_with(kInputs);
  const bool half_scales = ends_with(kHalfScales), asymmetric = ends_with(kAsymmetric);
  for (IntFormat format : AllIntFormats()) {
    if (rest != FormatName(format)) continue;
    format.asymmetric = asymmetric;
    format.half_scales = half_scales;
    format.input_bits = rounds_inputs ? kInputBits : 0;
    if (CheckFormat(format).ok()) return format;
  }
  return FormatUnknownError(name);
}

absl::Status CheckFormat(IntFormat format) {
  const bool sized = std::ranges::find(kGroupSizes, format.group_size) != std::end(kGroupSizes) &&
                     format.bits >= IntFormat::kMinBits && format.bits <= IntFormat::kMaxBits;
  const bool zeros_fit =
      !format.asymmetric || (format.group_size != IntFormat::kChannel && (format.bits == 4 || format.bits == 8));
  const bool inputs_fit =
      format.input_bits == 0 || (format.input_bits == kInputBits && format.bits == 8 && !format.asymmetric &&
                                 !format.half_scales && format.group_size == IntFormat::kChannel);
  return sized && zeros_fit && inputs_fit ? absl::OkStatus() : FormatUnknownError(FormatName(format));
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
