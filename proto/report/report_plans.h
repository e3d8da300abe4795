#pragma once

#include <optional>
#include <string>

#include "bitwright/v1/reports.pb.h"
#include "proto/report/report_section.h"

// Parts of a report that compare plans, and show how one was chosen.
namespace bitwright {

// Index of the best uniform candidate: that with the lowest mean KL divergence, or, under a bound of quality, the
// smallest that meets it. -1: none.
int BestUniform(const v1::Report& report);

// The candidates, each measured on the evaluation texts: what they cost in bytes and divergence.
ReportSection LossSection(const v1::Report& report);
// The same, beside the unquantized model: what becomes of the perplexity. Its note explains the marks of both.
ReportSection QualitySection(const v1::Report& report);

// How the selected plan was chosen; none where all plans were measured on the evaluation text.
std::optional<ReportSection> TrialsSection(const v1::Report& report);

// What single units cost beside what was predicted of them: a sentence by width.
std::string CheckText(const v1::WidthCheck& check);

ReportSection UnitsSection(const v1::Report& report);

}  // namespace bitwright
