#include "client/api/budget.h"

#include <charconv>
#include <cmath>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "client/api/client_errors.h"
#include "client/api/number_text.h"

namespace bitwright::client {
namespace {

struct Unit {
  std::string_view name;  // lower case
  double bytes;
};
constexpr Unit kUnits[] = {{"b", 1.0},      {"kb", 1e3},     {"mb", 1e6},     {"gb", 1e9},    {"tb", 1e12},
                           {"kib", 1024.0}, {"mib", 0x1p20}, {"gib", 0x1p30}, {"tib", 0x1p40}};
constexpr double kMostBytes = 0x1p53;  // exact in a double

}  // namespace

absl::StatusOr<v1::Budget> ParseBudget(std::string_view text) {
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
    if (unit != known.name) continue;
    const double bytes = std::floor(value * known.bytes);
    if (bytes < 1) return BudgetInvalidError(text, "is less than one byte");
    if (bytes > kMostBytes) return BudgetInvalidError(text, "is above 8 PiB");
    budget.set_artifact_bytes(static_cast<int64_t>(bytes));
    return budget;
  }
  return BudgetInvalidError(text, absl::StrCat("has an unknown unit '", unit, "'"));
}

std::string BudgetText(const v1::Budget& budget) {
  switch (budget.kind_case()) {
    case v1::Budget::kAverageBits:
      return absl::StrCat(budget.average_bits(), " bits per weight");
    case v1::Budget::kArtifactBytes:
      return WithThousands(budget.artifact_bytes()) + " bytes";
    case v1::Budget::kMaxKlDivergence:
    case v1::Budget::kMaxPerplexityRise:
    case v1::Budget::KIND_NOT_SET:
      break;
  }
  return "none";
}

}  // namespace bitwright::client
