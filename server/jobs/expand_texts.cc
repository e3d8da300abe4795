#include "server/jobs/expand_texts.h"

#include <algorithm>

#include "proto/base/status_macros.h"
#include "proto/contract/task_names.h"
#include "server/jobs/job_errors.h"
#include "server/jobs/texts.h"

namespace bitwright::server {
namespace {

constexpr double kFlopsPerTokenizedByte = 100;
constexpr int64_t kAskedCopies = 4;            // of a question's text: its context stands before each of its choices
constexpr int64_t kMostQuestionTokens = 8192;  // of a context and a choice; what is longer loses its beginning

absl::Status CheckLength(const std::string& use, const v1::TokenizeSummary::Text& text, int window) {
  if (text.windows() >= 1) return absl::OkStatus();
  return DataTooShortError(use, text.tokens_in_file(), window);
}

// What tokenizing takes of the model: messages of documents are rendered with
// its chat template.
ModelFiles TokenizerFiles(v1::Data::Kind kind) {
  switch (kind) {
    case v1::Data::TEXT:
      return ModelFiles::kTokenizer;
    case v1::Data::DOCUMENTS_JSONL:
      return ModelFiles::kChat;
    default:
      return ModelFiles::kNone;
  }
}

// What the first text of a tokenization says for all of it, and of itself.
v1::TokenizeParams& SetTokenize(const ExpandContext& context, const v1::Data& data, int held_out,
                                NodeBuilder& builder) {
  auto& params = *builder.spec().mutable_tokenize();
  params.set_kind(data.kind());
  params.set_window(data.window());
  params.set_max_tokens(data.tokens());
  params.set_add_special_tokens(data.add_special_tokens());
  params.set_vocab_size(context.info.vocab_size());
  params.set_held_out(held_out);
  builder.Input(TaskFile::kData, data.blob());
  return params;
}

// All texts, one after the other: as much memory as the largest takes.
void TokenizeCalibration(ExpandContext& context) {
  context.Add(CalibrationKey(), [&](NodeBuilder& builder) {
    const auto& texts = context.job.spec.calibration();
    auto& params = SetTokenize(context, texts[0], HeldOutShare(0, texts.size()), builder);
    ModelFiles files = TokenizerFiles(texts[0].kind());
    int64_t largest = texts[0].blob().size_bytes(), all = largest;
    for (int t = 1; t < texts.size(); ++t) {
      auto& text = *params.add_further();
      text.set_kind(texts[t].kind());
      text.set_max_tokens(texts[t].tokens());
      text.set_add_special_tokens(texts[t].add_special_tokens());
      text.set_held_out(HeldOutShare(t, texts.size()));
      builder.Input(Numbered(TaskFile::kData, t - 1), texts[t].blob());
      files = std::max(files,
                       TokenizerFiles(texts[t].kind()));  // what documents need has what text needs
      largest = std::max(largest, texts[t].blob().size_bytes());
      all += texts[t].blob().size_bytes();
    }
    builder.Files(context.inputs, files)
        .Needs(LiveSets::Tokenize(largest), kFlopsPerTokenizedByte * static_cast<double>(all));
  });
}

void TokenizeEvaluation(ExpandContext& context, int text) {
  context.Add(EvaluationKey(text), [&](NodeBuilder& builder) {
    const v1::Data& data = context.job.spec.evaluation(text);
    SetTokenize(context, data, 0, builder);
    builder.Files(context.inputs, TokenizerFiles(data.kind()))
        .Needs(LiveSets::Tokenize(data.blob().size_bytes()),
               kFlopsPerTokenizedByte * static_cast<double>(data.blob().size_bytes()));
  });
}

int32_t MostPositions(const ExpandContext& context) {
  const int64_t positions = context.info.max_positions();
  return static_cast<int32_t>(positions > 0 ? std::min(positions, kMostQuestionTokens) : kMostQuestionTokens);
}

void Questions(ExpandContext& context, int file) {
  context.Add(TaskKey(TaskKind::kQuestions, file), [&](NodeBuilder& builder) {
    const v1::ChoiceFile& choices = context.job.spec.choices(file);
    const int64_t bytes = choices.blob().size_bytes();
    auto* params = builder.spec().mutable_questions();
    params->set_max_questions(choices.questions());
    params->set_max_positions(MostPositions(context));
    params->set_vocab_size(context.info.vocab_size());
    builder.Files(context.inputs, ModelFiles::kTokenizer)
        .Input(TaskFile::kData, choices.blob())
        .Needs(LiveSets::Tokenize(kAskedCopies * bytes),
               kFlopsPerTokenizedByte * kAskedCopies * static_cast<double>(bytes));
  });
}

}  // namespace

void AddTexts(ExpandContext& context) {
  TokenizeCalibration(context);
  for (int text = 0; text < context.job.spec.evaluation_size(); ++text) TokenizeEvaluation(context, text);
  for (int file = 0; file < context.job.spec.choices_size(); ++file) Questions(context, file);
}

absl::Status CheckLengths(const v1::JobSpec& spec, const Facts& facts) {
  if (const auto& calibration = facts.calibration) {
    // What is assumed of an estimate is of all texts together.
    const int texts = std::max(1, calibration->texts_size());
    for (int t = 0; t < texts; ++t) {
      ABSL_RETURN_IF_ERROR(CheckLength(TextField(TaskUse::kCalibration, t, texts), PartOf(*calibration, t, texts),
                                       calibration->window()));
    }
  }
  const int texts = spec.evaluation_size();
  for (size_t t = 0; t < facts.evaluation.size(); ++t) {
    const auto& summary = facts.evaluation[t];
    if (!summary) continue;
    ABSL_RETURN_IF_ERROR(CheckLength(TextField(TaskUse::kEvaluation, static_cast<int>(t), texts),
                                     PartOf(*summary, 0, 1), summary->window()));
  }
  return absl::OkStatus();
}

std::string CalibrationKey() { return TaskKey(TaskKind::kTokenize, TaskUse::kCalibration); }

}  // namespace bitwright::server
