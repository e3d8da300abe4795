#pragma once

#include <string>

#include "bitwright/v1/reports.pb.h"

namespace bitwright::worker {

// One sentence for a person: which plan won, against what, by how much, and where the gain comes from.
std::string Verdict(const v1::Report& report, const v1::Selection& selection);

}  // namespace bitwright::worker
