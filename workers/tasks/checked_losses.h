#pragma once

#include <vector>

#include "absl/status/status.h"
#include "bitwright/v1/tasks.pb.h"

namespace bitwright::worker {

// Corrects what the curvature predicts by what was measured. `units` hold predicted losses; afterwards each option's is
//   in a format in which the unit was measured: what was measured, and `measured` is set;
//   at a width at which the unit was measured, in a format of any target: predicted · (measured / predicted) of the
//   unit at that width; else predicted · FactorOf(width) (workers/sensitivity/losses.h).
// Of a measurement or prediction that is not above 0 nothing follows. `widths` gets the sums by width, for the report.
// TASK_INPUT_DAMAGED: a check of no unit, or in no format.
absl::Status CorrectLosses(const std::vector<v1::Checks::Unit>& checks, std::vector<v1::Sensitivity::Unit>& units,
                           google::protobuf::RepeatedPtrField<v1::WidthCheck>& widths);

// The number of a format among a unit's options, or −1.
int FindOption(const v1::Sensitivity::Unit& unit, const v1::Format& format);

}  // namespace bitwright::worker
