#include "workers/tokenizer/library_float.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <limits>
#include <string>

namespace bitwright::worker {
namespace {

constexpr int kLargestPower = 308;

// Nearest doubles of 1e0 to 1e308; multiplying would gather errors.
const std::array<double, kLargestPower + 1>& Powers() {
  static const auto powers = [] {
    std::array<double, kLargestPower + 1> table{};
    for (int i = 0; i <= kLargestPower; ++i) {
      const std::string text = "1e" + std::to_string(i);
      std::from_chars(text.data(), text.data() + text.size(), table[i]);
    }
    return table;
  }();
  return powers;
}

double Scaled(uint64_t digits, int64_t exponent) {
  auto value = static_cast<double>(digits);
  while (value != 0 && exponent < -kLargestPower) {
    value /= Powers()[kLargestPower];
    exponent += kLargestPower;
  }
  if (value == 0) return 0;
  if (exponent > kLargestPower) return std::numeric_limits<double>::infinity();
  return exponent < 0 ? value / Powers()[-exponent] : value * Powers()[exponent];
}

}  // namespace

double LibraryFloat(std::string_view number) {
  const bool negative = number.starts_with('-');
  if (negative) number.remove_prefix(1);
  uint64_t digits = 0;
  int64_t exponent = 0;
  bool full = false;  // further digits change nothing
  bool behind_point = false;
  size_t at = 0;
  for (; at < number.size(); ++at) {
    if (number[at] == '.') {
      behind_point = true;
      continue;
    }
    if (number[at] < '0' || number[at] > '9') break;
    const auto digit = static_cast<uint64_t>(number[at] - '0');
    full = full || digits > (std::numeric_limits<uint64_t>::max() - digit) / 10;
    if (!full) digits = digits * 10 + digit;
    exponent += (full ? 1 : 0) - (behind_point ? 1 : 0);
  }
  if (at < number.size()) {
    std::string_view text = number.substr(at + 1);
    if (text.starts_with('+')) text.remove_prefix(1);
    int64_t written = 0;
    constexpr int64_t kFar = 1'000'000'000;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), written);
    if (parsed.ec == std::errc::result_out_of_range) written = text.starts_with('-') ? -kFar : kFar;
    exponent += std::clamp(written, -kFar, kFar);
  }
  const double value = Scaled(digits, exponent);
  return negative ? -value : value;
}

}  // namespace bitwright::worker
