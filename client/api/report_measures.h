#pragma once

#include <string>

#include "bitwright/v1/reports.pb.h"

// Parts of a report's text that say what the selected plan costs. Each ends with a blank line, and is empty where the
// report, as one of an earlier version, does not know it.
namespace bitwright::client {

// The candidate that was selected; null: the report names none that it has.
const v1::Candidate* SelectedCandidate(const v1::Report& report);

// KL divergence and change of probability, token by token, in the rows that llama-perplexity --kl-divergence prints.
std::string TokenTable(const v1::Report& report);

// What was measured on each evaluation text; nothing where there is one alone.
std::string TextsTable(const v1::Report& report);

// How the unquantized model and the selected plan answer multiple-choice questions; nothing where none were asked.
std::string ChoicesTable(const v1::Report& report);

// What both write after a prompt; nothing where none was given.
std::string SampleParagraphs(const v1::Report& report);

// What the bytes of the artifact are for.
std::string SizeTable(const v1::Report& report);

}  // namespace bitwright::client
