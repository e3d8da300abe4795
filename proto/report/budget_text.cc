#include "proto/report/budget_text.h"

#include "absl/strings/str_cat.h"
#include "proto/inputs/budget.h"
#include "proto/report/number_text.h"

namespace bitwright {
namespace {

// Of a bound of quality, in its fewest digits: as a person would write it.
std::string Bound(const v1::Budget& budget) {
  const std::string name = BudgetName(budget);
  return name.substr(name.find('=') + 1);
}

}  // namespace

std::string BudgetText(const v1::Budget& budget) {
  switch (budget.kind_case()) {
    case v1::Budget::kAverageBits:
      return absl::StrCat(budget.average_bits(), " bits per weight");
    case v1::Budget::kArtifactBytes:
      return WithThousands(budget.artifact_bytes()) + " bytes";
    case v1::Budget::kMaxKlDivergence:
      return absl::StrCat("KL divergence at most ", Bound(budget), " nats per token");
    case v1::Budget::kMaxPerplexityRise: {
      std::string percent = Bound(budget);
      percent.insert(percent.size() - 1, " ");
      return absl::StrCat("perplexity at most ", percent, " above the unquantized model's");
    }
    case v1::Budget::KIND_NOT_SET:
      break;
  }
  return "none";
}

}  // namespace bitwright
