#pragma once

#include <string>

#include "bitwright/v1/reports.pb.h"

namespace bitwright::client {

// How small the artifact can be and what that is predicted to cost: about ten plans of the report's Pareto front,
// evenly chosen with both its ends, and those of its plans that were measured, with what they were measured to cost.
// Ends with a blank line; empty where the report has no front.
std::string FrontTable(const v1::Report& report);

}  // namespace bitwright::client
