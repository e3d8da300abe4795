#pragma once

#include <optional>

#include "bitwright/v1/reports.pb.h"
#include "proto/report/report_section.h"

namespace bitwright {

// How small the artifact can be and what that is predicted to cost: about ten plans of the report's Pareto front,
// evenly chosen with both its ends, and those of its plans that were measured, with what they were measured to cost.
// None where the report has no front.
std::optional<ReportSection> FrontSection(const v1::Report& report);

}  // namespace bitwright
