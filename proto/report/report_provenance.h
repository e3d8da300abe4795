#pragma once

#include <string>

#include "bitwright/v1/reports.pb.h"

namespace bitwright {

// "bf16" or "f32".
std::string ComputeText(v1::ComputeType type);

// Where the numbers of a report come from, as HTML: the model, the texts, the machine's class and the code, the recipe
// in text format, and every task with what went in and came out.
std::string Provenance(const v1::Report& report);

}  // namespace bitwright
