#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "bitwright/v1/reports.pb.h"

namespace bitwright {

// "4.25bpw": average bits per quantized weight. "12MB", "12MiB", "1.5GB", "12000000B": bytes of the artifact; k, M, G,
// T are powers of 1000, with an "i" of 1024; fractions of a byte are dropped. Bounds of quality: "kld=0.05", mean KL
// divergence in nats per token; "ppl=1%" or "ppl=0.01", how much the perplexity may rise, at most tenfold. Letter case
// counts only where it must not confuse: any is accepted. INVALID_ARGUMENT, reason BUDGET_INVALID.
absl::StatusOr<v1::Budget> ParseBudget(std::string_view text);

// The shortest that ParseBudget reads as this budget: "4.25bpw", "12MB", "kld=0.05", "ppl=1%". Empty: of none.
std::string BudgetName(const v1::Budget& budget);

}  // namespace bitwright
