#pragma once

#include <string>

#include "bitwright/v1/reports.pb.h"

namespace bitwright {

// For a person: "4.25 bits per weight", "12,000,000 bytes" or "KL divergence at most 0.05 nats per token".
std::string BudgetText(const v1::Budget& budget);

}  // namespace bitwright
