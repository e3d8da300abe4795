#include "server/app/watermark_text.h"

#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "server/app/app_errors.h"

namespace bitwright::server {
namespace {

constexpr std::pair<absl::string_view, int64_t> kUnits[] = {
    {"TiB", int64_t{1} << 40}, {"GiB", int64_t{1} << 30}, {"MiB", int64_t{1} << 20}, {"KiB", int64_t{1} << 10}};
constexpr double kMostBytes = 1e18;

std::optional<double> Fraction(absl::string_view text) {
  double percent = 0;
  if (!absl::ConsumeSuffix(&text, "%") || !absl::SimpleAtod(text, &percent)) return std::nullopt;
  return percent >= 0 && percent <= 100 ? std::optional(percent / 100) : std::nullopt;
}

std::optional<int64_t> Bytes(absl::string_view text) {
  int64_t unit = 1;
  for (const auto& [name, bytes] : kUnits) {
    if (absl::ConsumeSuffix(&text, name)) unit = bytes;
  }
  double number = 0;
  if (!absl::SimpleAtod(text, &number)) return std::nullopt;
  const double bytes = number * static_cast<double>(unit);
  return bytes >= 0 && bytes <= kMostBytes ? std::optional(static_cast<int64_t>(bytes)) : std::nullopt;
}

}  // namespace

absl::StatusOr<Watermark> ParseWatermark(std::string_view text) {
  Watermark mark;
  for (const absl::string_view part : absl::StrSplit(absl::string_view(text.data(), text.size()), ',')) {
    const std::optional<double> fraction = Fraction(part);
    const std::optional<int64_t> bytes = fraction ? std::nullopt : Bytes(part);
    if ((!fraction && !bytes) || (fraction && mark.fraction) || (bytes && mark.bytes))
      return WatermarkInvalidError(text);
    if (fraction) mark.fraction = fraction;
    if (bytes) mark.bytes = bytes;
  }
  return mark;
}

std::string WatermarkText(const Watermark& mark) {
  std::vector<std::string> parts;
  if (mark.fraction) parts.push_back(absl::StrCat(*mark.fraction * 100, "%"));
  if (mark.bytes) {
    std::string bytes = absl::StrCat(*mark.bytes);
    for (const auto& [name, unit] : kUnits) {
      if (*mark.bytes > 0 && *mark.bytes % unit == 0) {
        bytes = absl::StrCat(*mark.bytes / unit, name);
        break;
      }
    }
    parts.push_back(std::move(bytes));
  }
  return parts.empty() ? "0" : absl::StrJoin(parts, ",");
}

}  // namespace bitwright::server
