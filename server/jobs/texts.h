#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/jobs/job_graph.h"

// A job calibrates on one text or several, and is measured on one or several. Those to calibrate on are tokenized by
// one task, since their windows follow each other; each to be measured on has its own, so that jobs which share some
// share what was done on them.
namespace bitwright::server {

// What errors call a text of `count`: "evaluation" where it is the only one, else "evaluation[1]".
std::string TextField(std::string_view use, int text, int count);
// For people: "evaluation text", or "evaluation text 2".
std::string TextName(std::string_view use, int text, int count);

// Key of the task that tokenizes an evaluation text: of the first "tokenize[evaluation]", of others
// "tokenize[evaluation,1]".
std::string EvaluationKey(int text);
// Which one that is; nothing: it is of no evaluation text.
std::optional<int> EvaluationTextOf(std::string_view key);

// Windows of calibration text `text` of `count` that are held out, at most: kHeldOutWindows shared evenly.
int HeldOutShare(int text, int count);

// Of every evaluation text of a spec its summary; nothing: one is not known yet.
std::optional<std::vector<v1::TokenizeSummary>> EvaluationSummaries(const v1::JobSpec& spec, const Facts& facts);
void LearnEvaluation(int text, v1::TokenizeSummary summary, Facts& facts);

// Which file of questions a key of TaskKey(kQuestions, …) is of; nothing: it is none.
std::optional<int> QuestionsOf(std::string_view key);
// As EvaluationSummaries, of the files of questions.
std::optional<std::vector<v1::QuestionsSummary>> QuestionSummaries(const v1::JobSpec& spec, const Facts& facts);
void LearnQuestions(int file, v1::QuestionsSummary summary, Facts& facts);

// What of a tokenization is of text `text`, of `count`.
v1::TokenizeSummary::Text PartOf(const v1::TokenizeSummary& summary, int text, int count);

// Σ of windows.
int64_t WindowsOf(const std::vector<v1::TokenizeSummary>& texts);

}  // namespace bitwright::server
