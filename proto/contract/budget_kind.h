#pragma once

#include "bitwright/v1/reports.pb.h"

namespace bitwright {

// Whether a budget is a bound of quality: then the plan is looked for by measuring, not by size.
inline bool IsBound(const v1::Budget& budget) {
  return budget.has_max_kl_divergence() || budget.has_max_perplexity_rise();
}

}  // namespace bitwright
