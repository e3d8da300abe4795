#pragma once

#include "bitwright/v1/reports.pb.h"
#include "workers/evaluate/summary.h"

namespace bitwright::worker {

// The report's form of what was measured.
void FillMeasurements(const EvaluationSummary& summary, v1::Candidate& candidate);
v1::TextMeasurement TextMeasurementOf(const EvaluationSummary& summary);
v1::TokenLoss TokenLossOf(const LossSummary& loss);

}  // namespace bitwright::worker
