#include "workers/formats/int_format.h"

#include "absl/strings/str_cat.h"
#include "workers/formats/formats_errors.h"

namespace bitwright::worker {
namespace {

// In the order of AllowedIntFormats.
constexpr int kGroupSizes[] = {32, 64, 128, IntFormat::kChannel};

}  // namespace

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
