#include "proto/report/number_text.h"

#include <cmath>
#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace bitwright {
namespace {

bool ContinuesCodePoint(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

}  // namespace

std::string WithThousands(int64_t value) {
  std::string digits = absl::StrCat(value);
  const int64_t first = value < 0 ? 1 : 0;
  for (int64_t at = static_cast<int64_t>(digits.size()) - 3; at > first; at -= 3) {
    digits.insert(static_cast<size_t>(at), 1, ',');
  }
  return digits;
}

std::string BytesText(int64_t bytes) {
  static constexpr const char* kUnits[] = {"kB", "MB", "GB", "TB", "PB"};
  if (bytes < 1000) return absl::StrCat(bytes, " B");
  double value = static_cast<double>(bytes);
  int unit = -1;
  while (value >= 999.995 && unit < 4) {
    value /= 1000;
    ++unit;
  }
  return absl::StrFormat("%.2f %s", value, kUnits[unit < 0 ? 0 : unit]);
}

std::string SecondsText(double seconds) {
  if (seconds < 9.95) return absl::StrFormat("%.1f s", seconds);
  const int64_t whole = std::llround(seconds);
  if (whole < 60) return absl::StrCat(whole, " s");
  if (whole < 3600) return absl::StrFormat("%d min %02d s", whole / 60, whole % 60);
  return absl::StrFormat("%d h %02d min", whole / 3600, whole % 3600 / 60);
}

std::string Fixed(double value, int decimals) {
  std::string text = absl::StrFormat("%.*f", decimals, value);
  // A little below zero is zero in so few digits.
  return text.starts_with('-') && text.find_first_not_of("-0.") == std::string::npos ? text.substr(1) : text;
}

std::string RoundedUp(double value, int decimals) {
  const double scale = std::pow(10.0, decimals);
  // A number that has so few decimals may be stored a little above or below itself.
  for (double whole = std::floor(value * scale);; ++whole) {
    std::string text = Fixed(whole / scale, decimals);
    if (std::strtod(text.c_str(), nullptr) >= value || !std::isfinite(value)) return text;
  }
}

std::string RoundedDown(double value, int decimals) {
  std::string text = RoundedUp(-value, decimals);
  return text.starts_with('-') ? text.substr(1) : text;
}

std::string Scientific(double value, int decimals) { return absl::StrFormat("%.*e", decimals, value); }
std::string PlusMinus(double value, double error, int decimals) {
  return absl::StrCat(Fixed(value, decimals), " ± ", Fixed(error, decimals));
}
std::string Percent(double share, int decimals) { return Fixed(100 * share, decimals) + " %"; }

std::string Printable(std::string_view text, size_t most_columns) {
  std::string shown;
  size_t columns = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (!ContinuesCodePoint(text[i]) && ++columns > most_columns) return shown + "…";
    // C1 controls are U+0080 … U+009F: 0xC2 0x80 … 0xC2 0x9F.
    const bool c1 = c == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0;
    if (c1) ++i;
    shown += (c < 0x20 || c == 0x7f || c1) ? '?' : text[i];
  }
  return shown;
}

size_t Columns(std::string_view text) {
  size_t columns = 0;
  for (const char c : text) columns += ContinuesCodePoint(c) ? 0 : 1;
  return columns;
}

}  // namespace bitwright
