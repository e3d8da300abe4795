#pragma once

#include <vector>

#include "absl/status/status.h"
#include "bitwright/v1/tasks.pb.h"

namespace bitwright::worker {

// Adds to a unit the options in which its linears differ, where its options say what each linear has of them: those of
// the convex front of all combinations, as ParetoFront gives it. An option's loss may have been corrected since its
// linears were priced: their shares of it stay. Errors: OPTIONS_INVALID.
absl::Status AddOptionsOfLinears(v1::Sensitivity::Unit& unit);

}  // namespace bitwright::worker
