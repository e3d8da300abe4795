#include "server/jobs/texts.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "proto/contract/limits.h"
#include "proto/contract/task_names.h"
#include "server/jobs/cuts.h"

namespace bitwright::server {
namespace {

// The first `count`; nothing where one of them is not known.
template <typename Summary>
std::optional<std::vector<Summary>> AllOf(const std::vector<std::optional<Summary>>& known, int count) {
  std::vector<Summary> all;
  for (size_t i = 0; i < static_cast<size_t>(count); ++i) {
    if (i >= known.size() || !known[i]) return std::nullopt;
    all.push_back(*known[i]);
  }
  return all;
}

template <typename Summary>
void Learn(int place, Summary summary, std::vector<std::optional<Summary>>& known) {
  if (known.size() <= static_cast<size_t>(place)) known.resize(static_cast<size_t>(place) + 1);
  known[static_cast<size_t>(place)] = std::move(summary);
}

}  // namespace

std::string TextField(std::string_view use, int text, int count) {
  return count == 1 ? std::string(use) : absl::StrCat(std::string(use), "[", text, "]");
}

std::string TextName(std::string_view use, int text, int count) {
  return absl::StrCat(std::string(use), count == 1 ? " text" : absl::StrCat(" text ", text + 1));
}

std::string EvaluationKey(int text) {
  return text == 0 ? TaskKey(TaskKind::kTokenize, TaskUse::kEvaluation)
                   : TaskKey(TaskKind::kTokenize, TaskUse::kEvaluation, text);
}

std::optional<int> EvaluationTextOf(std::string_view key) {
  for (int text = 0; text < limits::kMaxTexts; ++text) {
    if (key == EvaluationKey(text)) return text;
  }
  return std::nullopt;
}

int HeldOutShare(int text, int count) { return kHeldOutWindows * (text + 1) / count - kHeldOutWindows * text / count; }

std::optional<std::vector<v1::TokenizeSummary>> EvaluationSummaries(const v1::JobSpec& spec, const Facts& facts) {
  return AllOf(facts.evaluation, spec.evaluation_size());
}

void LearnEvaluation(int text, v1::TokenizeSummary summary, Facts& facts) {
  Learn(text, std::move(summary), facts.evaluation);
}

std::optional<int> QuestionsOf(std::string_view key) {
  for (int file = 0; file < limits::kMaxChoiceFiles; ++file) {
    if (key == TaskKey(TaskKind::kQuestions, file)) return file;
  }
  return std::nullopt;
}

std::optional<std::vector<v1::QuestionsSummary>> QuestionSummaries(const v1::JobSpec& spec, const Facts& facts) {
  return AllOf(facts.questions, spec.choices_size());
}

void LearnQuestions(int file, v1::QuestionsSummary summary, Facts& facts) {
  Learn(file, std::move(summary), facts.questions);
}

v1::TokenizeSummary::Text PartOf(const v1::TokenizeSummary& summary, int text, int count) {
  if (count > 1) return text < summary.texts_size() ? summary.texts(text) : v1::TokenizeSummary::Text();
  v1::TokenizeSummary::Text part;
  part.set_windows(summary.windows());
  part.set_held_out_windows(summary.held_out_windows());
  part.set_tokens_in_file(summary.tokens_in_file());
  return part;
}

int64_t WindowsOf(const std::vector<v1::TokenizeSummary>& texts) {
  int64_t windows = 0;
  for (const v1::TokenizeSummary& text : texts) windows += text.windows();
  return windows;
}

}  // namespace bitwright::server
