#include "server/jobs/expand_answers.h"

#include <algorithm>
#include <string>
#include <utility>

#include "proto/contract/task_names.h"
#include "server/jobs/texts.h"

namespace bitwright::server {
namespace {

constexpr int64_t kSamplePromptTokens = 64;  // of the evaluation text, at most
constexpr int64_t kSpareTokens = 8;          // that a tokenizer puts around a prompt
constexpr int kBase = 0, kQuantized = 1;     // numbers of answerers

// All goals share the unquantized model's.
std::string AnswererKey(std::string key, int number, int goal) {
  return GoalKey(std::move(key), number == kBase ? 0 : goal);
}
std::string GradeKey(int file, int number, int goal) {
  return AnswererKey(TaskKey(TaskKind::kGrade, file, number), number, goal);
}
std::string SampleKey(int number, int goal) { return AnswererKey(TaskKey(TaskKind::kSample, number), number, goal); }

class Answers {
 public:
  Answers(ExpandContext& context, const Answerer& answerer)
      : context_(context),
        answerer_(answerer),
        number_(answerer.goal ? kQuantized : kBase),
        compute_(context.job.recipe.evaluation().compute()) {}

  void Score(int file, int shard, const v1::QuestionsSummary::Shard& cut) {
    context_.Add(ScoreKey(file, shard), [&](NodeBuilder& builder) {
      const int64_t sequences = int64_t{cut.sequences().end()} - cut.sequences().begin();
      const int64_t file_bytes = context_.job.spec.choices(file).blob().size_bytes();
      auto* params = builder.spec().mutable_score();
      *params->mutable_sequences() = cut.sequences();
      params->set_window(cut.window());
      params->set_compute(compute_);
      params->set_quantized(quantized());
      builder.Files(context_.inputs, ModelFiles::kNumeric)
          .Link(TaskFile::kQuestions, TaskKey(TaskKind::kQuestions, file), TaskFile::kQuestions)
          .Needs(answerer_.live.Score(sequences, cut.window(), compute_, file_bytes),
                 answerer_.costs.ScoreFlops(static_cast<int>(sequences), cut.window()))
          .Numeric();
      if (quantized()) answerer_.link_weights(builder);
    });
  }

  void Grade(int file, int shards) {
    context_.Add(GradeKey(file, number_, goal()), [&](NodeBuilder& builder) {
      builder.spec().mutable_grade()->set_shards(shards);
      builder.Link(TaskFile::kQuestions, TaskKey(TaskKind::kQuestions, file), TaskFile::kQuestions)
          .Needs(LiveSets::Small(), 0);
      for (int shard = 0; shard < shards; ++shard) {
        builder.Link(Numbered(TaskFile::kScores, shard), ScoreKey(file, shard), TaskFile::kScores);
      }
    });
  }

  void Sample() {
    context_.Add(SampleKey(number_, goal()), [&](NodeBuilder& builder) {
      const v1::SampleSpec& sample = context_.job.spec.sample();
      const int window = PromptTokens() + sample.tokens();
      auto* params = builder.spec().mutable_sample();
      params->set_prompt(sample.prompt());
      params->set_prompt_tokens(PromptTokens());
      params->set_tokens(sample.tokens());
      params->set_compute(compute_);
      params->set_quantized(quantized());
      builder.Files(context_.inputs, ModelFiles::kNumeric)
          .Files(context_.inputs, ModelFiles::kTokenizer)
          .Needs(answerer_.live.Sample(window, compute_), answerer_.costs.SampleFlops(sample.tokens(), window))
          .Numeric();
      if (sample.prompt().empty()) builder.Link(TaskFile::kIds, EvaluationKey(0), TaskFile::kIds);
      if (!quantized()) return;
      builder.Link(TaskFile::kSample, SampleKey(kBase, goal()), TaskFile::kSample);
      answerer_.link_weights(builder);
    });
  }

 private:
  bool quantized() const { return answerer_.goal.has_value(); }
  int goal() const { return answerer_.goal.value_or(0); }
  std::string ScoreKey(int file, int shard) const {
    return AnswererKey(TaskKey(TaskKind::kScore, file, number_, shard), number_, goal());
  }

  // Of a prompt so many tokens are read; where there is none, so many of the evaluation text.
  int PromptTokens() const {
    const v1::SampleSpec& sample = context_.job.spec.sample();
    const int64_t wanted = sample.prompt().empty()
                               ? std::min<int64_t>(kSamplePromptTokens, (context_.job.evaluation_window() + 1) / 2)
                               : static_cast<int64_t>(sample.prompt().size()) + kSpareTokens;
    const int64_t positions = context_.info.max_positions();
    const int64_t room = positions > 0 ? positions - sample.tokens() : wanted;
    return static_cast<int>(std::clamp<int64_t>(room, 1, wanted));
  }

  ExpandContext& context_;
  const Answerer& answerer_;
  const int number_;
  const v1::ComputeType compute_;
};

}  // namespace

void AddAnswers(ExpandContext& context, const Answerer& answerer, const std::vector<v1::QuestionsSummary>& files) {
  Answers answers(context, answerer);
  for (int file = 0; file < static_cast<int>(files.size()); ++file) {
    const auto& shards = files[static_cast<size_t>(file)].shards();
    for (int shard = 0; shard < shards.size(); ++shard) answers.Score(file, shard, shards[shard]);
    answers.Grade(file, shards.size());
  }
  if (context.job.spec.has_sample()) answers.Sample();
}

void LinkAnswers(const v1::JobSpec& spec, int goal, NodeBuilder& report) {
  for (const int number : {kBase, kQuantized}) {
    for (int file = 0; file < spec.choices_size(); ++file) {
      report.Link(Numbered(TaskFile::kGrade, file, number), GradeKey(file, number, goal), TaskFile::kGrade);
    }
    if (!spec.has_sample()) continue;
    report.Link(Numbered(TaskFile::kSample, number), SampleKey(number, goal), TaskFile::kSample);
  }
}

std::vector<std::string> AnswerKeys(const v1::JobSpec& spec, int goal) {
  std::vector<std::string> keys;
  for (const int number : {kBase, kQuantized}) {
    for (int file = 0; file < spec.choices_size(); ++file) keys.push_back(GradeKey(file, number, goal));
    if (spec.has_sample()) keys.push_back(SampleKey(number, goal));
  }
  return keys;
}

}  // namespace bitwright::server
