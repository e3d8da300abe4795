#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "bitwright/v1/reports.pb.h"

namespace bitwright::client {

// "4.25bpw": average bits per quantized weight. "12MB", "12MiB", "1.5GB", "12000000B": bytes of the artifact; k, M, G,
// T are powers of 1000, with an "i" of 1024; fractions of a byte are dropped. Letter case counts only where it must not
// confuse: any is accepted. INVALID_ARGUMENT, reason BUDGET_INVALID.
absl::StatusOr<v1::Budget> ParseBudget(std::string_view text);

// For a person: "4.25 bits per weight" or "12,000,000 bytes".
std::string BudgetText(const v1::Budget& budget);

}  // namespace bitwright::client
