#include "proto/inputs/budget.h"

#include <charconv>
#include <cmath>
#include <cstdint>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "proto/base/status_macros.h"
#include "proto/inputs/input_errors.h"

namespace bitwright {
namespace {

struct Unit {
  std::string_view name;  // as people write it
  double bytes;
};
constexpr Unit kUnits[] = {{"B", 1.0},      {"kB", 1e3},     {"MB", 1e6},     {"GB", 1e9},    {"TB", 1e12},
                           {"KiB", 1024.0}, {"MiB", 0x1p20}, {"GiB", 0x1p30}, {"TiB", 0x1p40}};
constexpr double kMostBytes = 0x1p53;  // exact in a double
constexpr double kMostPerplexityRise = 10;
constexpr std::string_view kDivergence = "kld=";
constexpr std::string_view kRise = "ppl=";

// In its fewest digits.
std::string NumberText(double value) {
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, value).ptr};
}

std::string PercentText(double share) { return absl::StrFormat("%.12g", 100 * share); }

bool BeginsWith(std::string_view text, std::string_view lower_case) {
  return absl::AsciiStrToLower(std::string(text.substr(0, lower_case.size()))) == lower_case;
}

absl::StatusOr<double> ParseBound(std::string_view text, std::string_view number, std::string_view exponent) {
  const std::string digits = absl::StrCat(std::string(number), std::string(exponent));
  double value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || end != digits.data() + digits.size() || !std::isfinite(value)) {
    return BudgetInvalidError(text, "has no number behind '='");
  }
  if (value <= 0) return BudgetInvalidError(text, "is not above 0");
  return value;
}

absl::StatusOr<v1::Budget> ParseDivergence(std::string_view text) {
  v1::Budget budget;
  ABSL_ASSIGN_OR_RETURN(const double nats, ParseBound(text, text.substr(kDivergence.size()), ""));
  budget.set_max_kl_divergence(nats);
  return budget;
}

absl::StatusOr<v1::Budget> ParseRise(std::string_view text) {
  v1::Budget budget;
  const bool percent = text.ends_with('%');
  const std::string_view number = text.substr(kRise.size(), text.size() - kRise.size() - (percent ? 1 : 0));
  ABSL_ASSIGN_OR_RETURN(const double share, ParseBound(text, number, percent ? "e-2" : ""));
  if (share > kMostPerplexityRise) return BudgetInvalidError(text, "is above 1000 %");
  budget.set_max_perplexity_rise(share);
  return budget;
}

absl::StatusOr<v1::Budget> ParseSize(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  if (error != std::errc()) return BudgetInvalidError(text, "does not begin with a number");
  if (!std::isfinite(value) || value <= 0) return BudgetInvalidError(text, "is not above 0");

  std::string unit(end, text.data() + text.size());
  unit.erase(0, unit.find_first_not_of(' ') == std::string::npos ? unit.size() : unit.find_first_not_of(' '));
  if (unit.empty()) return BudgetInvalidError(text, "has no unit");
  absl::AsciiStrToLower(&unit);

  v1::Budget budget;
  if (unit == "bpw") {
    if (value > 32) return BudgetInvalidError(text, "is above 32 bits per weight");
    budget.set_average_bits(value);
    return budget;
  }
  for (const Unit& known : kUnits) {
    if (unit != absl::AsciiStrToLower(std::string(known.name))) continue;
    const double bytes = std::floor(value * known.bytes);
    if (bytes < 1) return BudgetInvalidError(text, "is less than one byte");
    if (bytes > kMostBytes) return BudgetInvalidError(text, "is above 8 PiB");
    budget.set_artifact_bytes(static_cast<int64_t>(bytes));
    return budget;
  }
  return BudgetInvalidError(text, absl::StrCat("has an unknown unit '", unit, "'"));
}

std::string BytesName(int64_t bytes) {
  std::string shortest = absl::StrCat(bytes, "B");
  for (const Unit& unit : kUnits) {
    const std::string name = NumberText(static_cast<double>(bytes) / unit.bytes) + std::string(unit.name);
    const auto read = ParseSize(name);
    if (name.size() < shortest.size() && read.ok() && read->artifact_bytes() == bytes) shortest = name;
  }
  return shortest;
}

}  // namespace

absl::StatusOr<v1::Budget> ParseBudget(std::string_view text) {
  if (BeginsWith(text, kDivergence)) return ParseDivergence(text);
  if (BeginsWith(text, kRise)) return ParseRise(text);
  return ParseSize(text);
}

std::string BudgetName(const v1::Budget& budget) {
  switch (budget.kind_case()) {
    case v1::Budget::kAverageBits:
      return NumberText(budget.average_bits()) + "bpw";
    case v1::Budget::kArtifactBytes:
      return BytesName(budget.artifact_bytes());
    case v1::Budget::kMaxKlDivergence:
      return std::string(kDivergence) + NumberText(budget.max_kl_divergence());
    case v1::Budget::kMaxPerplexityRise:
      return std::string(kRise) + PercentText(budget.max_perplexity_rise()) + "%";
    case v1::Budget::KIND_NOT_SET:
      break;
  }
  return "";
}

}  // namespace bitwright
