#pragma once

#include <optional>
#include <string>

#include "bitwright/v1/reports.pb.h"
#include "proto/report/report_section.h"

// Parts of a report that say what the selected plan costs. None where the report, as one of an earlier version, does
// not know it.
namespace bitwright {

// The candidate that was selected; null: the report names none that it has.
const v1::Candidate* SelectedCandidate(const v1::Report& report);

// KL divergence and change of probability, token by token, in the rows that llama-perplexity --kl-divergence prints.
std::optional<ReportSection> TokenSection(const v1::Report& report);

// What was measured on each evaluation text; none where there is one alone.
std::optional<ReportSection> TextsSection(const v1::Report& report);

// How the unquantized model and the selected plan answer multiple-choice questions; none where none were asked.
std::optional<ReportSection> ChoicesSection(const v1::Report& report);

// How far both write the same after a prompt, in a sentence without a full stop.
std::string SampleTitle(const v1::GreedySample& sample);
// A text of the sample in one line; where the model has no tokenizer, its ids.
std::string SampleLine(const std::string& text, const google::protobuf::RepeatedField<int32_t>& ids);

// What the bytes of the artifact are for.
std::optional<ReportSection> SizeSection(const v1::Report& report);

}  // namespace bitwright
