#pragma once

#include "bitwright/v1/reports.pb.h"
#include "workers/evaluate/summary.h"

namespace bitwright::worker {

// The report's form of what was measured.
void FillMeasurements(const EvaluationSummary& summary, v1::Candidate& candidate);
v1::TokenLoss TokenLossOf(const LossSummary& loss);

// One sentence for a person: which plan won, against what, by how much, and where the gain comes from.
std::string Verdict(const v1::Report& report, const v1::Selection& selection);

}  // namespace bitwright::worker
