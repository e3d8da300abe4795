#pragma once

#include <string_view>

#include "bitwright/v1/reports.pb.h"

namespace bitwright::server {

// The words of VerdictOf. "bound_met": the plan is the smallest found that meets a bound of quality. "mixed_…": the
// mixed plan was selected; its KL divergence is at most that of the best uniform one ("better"), or not ("worse":
// selected on held-out text, it need not win on another). "uniform_…": likewise the uniform plan, beside the mixed one.
// "alone": nothing else was measured.
inline constexpr std::string_view kVerdicts[] = {"bound_met",      "mixed_better",  "mixed_worse",
                                                 "uniform_better", "uniform_worse", "alone"};

// What the selected plan is worth, from what was measured on the evaluation text. Precondition: `selected` is an index
// of a candidate.
std::string_view VerdictOf(const v1::Budget& budget, const v1::Selection& selection);

}  // namespace bitwright::server
