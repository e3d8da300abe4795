#include <algorithm>
#include <numeric>
#include <string_view>
#include <vector>

#include "proto/base/status_macros.h"
#include "proto/base/utf8.h"
#include "proto/contract/limits.h"
#include "proto/contract/task_names.h"
#include "workers/choices/choices_errors.h"
#include "workers/choices/question_reader.h"
#include "workers/choices/sequences.h"
#include "workers/tasks/kinds.h"
#include "workers/tasks/model_tokenizer.h"
#include "workers/tokenizer/text_lines.h"

namespace bitwright::worker {
namespace {

constexpr int64_t kShardTokens = 8192;  // of a score task, with padding; as evaluate's 16 windows of 512

// What is read of the file, in its order.
struct Asked {
  std::vector<ScoredSequence> sequences;
  v1::QuestionSet set;  // sequences are counted as they come
};

absl::Status Ask(const Question& question, const Tokenizer& tokenizer, const v1::QuestionsParams& params, int64_t line,
                 Asked& asked) {
  v1::QuestionSet::Question& to = *asked.set.add_questions();
  to.set_answer(question.answer);
  for (const Question::Choice& choice : question.choices) {
    ABSL_ASSIGN_OR_RETURN(ScoredSequence sequence,
                          EncodeChoice(tokenizer, choice, int64_t{params.max_positions()} + 1, line));
    ABSL_RETURN_IF_ERROR(CheckIds(sequence.ids, params.vocab_size()));
    to.add_sequences(static_cast<int32_t>(asked.sequences.size()));
    to.add_characters(static_cast<int32_t>(choice.characters));
    asked.sequences.push_back(std::move(sequence));
  }
  return absl::OkStatus();
}

absl::StatusOr<Asked> ReadQuestions(const v1::QuestionsParams& params, TaskIo& io) {
  ABSL_ASSIGN_OR_RETURN(const auto file, io.Input(TaskFile::kData));
  ABSL_ASSIGN_OR_RETURN(const auto tokenizer, LoadTokenizer(io));
  Asked asked;
  QuestionReader reader;
  TextLines lines(WithoutByteOrderMark(file->text()));
  while (lines.Next()) {
    if (params.max_questions() > 0 && asked.set.questions_size() == params.max_questions()) break;
    ABSL_ASSIGN_OR_RETURN(const Question question, reader.Read(lines.line(), lines.number()));
    ABSL_RETURN_IF_ERROR(Ask(question, *tokenizer, params, lines.number(), asked));
  }
  if (asked.set.questions().empty()) return QuestionsMissingError();
  asked.set.set_task(reader.task());
  return asked;
}

// By rising length, those of one length in order; the questions follow.
void SortByLength(Asked& asked) {
  std::vector<size_t> order(asked.sequences.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::stable_sort(order, {}, [&](size_t s) { return asked.sequences[s].ids.size(); });
  std::vector<ScoredSequence> sorted;
  std::vector<int32_t> place(order.size());
  for (const size_t s : order) {
    place[s] = static_cast<int32_t>(sorted.size());
    sorted.push_back(std::move(asked.sequences[s]));
  }
  asked.sequences = std::move(sorted);
  for (v1::QuestionSet::Question& question : *asked.set.mutable_questions()) {
    for (int32_t& sequence : *question.mutable_sequences()) sequence = place[static_cast<size_t>(sequence)];
  }
}

}  // namespace

absl::Status RunQuestions(const v1::QuestionsParams& params, TaskIo& io) {
  ABSL_ASSIGN_OR_RETURN(Asked asked, ReadQuestions(params, io));
  SortByLength(asked);
  v1::QuestionsSummary summary;
  summary.set_task(asked.set.task());
  summary.set_questions(asked.set.questions_size());
  for (const SequenceShard& shard : ShardSequences(asked.sequences, kShardTokens)) {
    auto& to = *summary.add_shards();
    to.mutable_sequences()->set_begin(shard.begin);
    to.mutable_sequences()->set_end(shard.end);
    to.set_window(shard.window);
  }
  for (const ScoredSequence& sequence : asked.sequences) {
    auto& to = *asked.set.add_sequences();
    to.mutable_ids()->Add(sequence.ids.begin(), sequence.ids.end());
    to.set_scored(sequence.scored);
  }
  const auto bytes = static_cast<int64_t>(asked.set.ByteSizeLong());
  if (bytes > limits::kMaxInlineProtoBytes) {
    return QuestionsTooLargeError(bytes, limits::kMaxInlineProtoBytes, asked.set.questions_size());
  }
  ABSL_RETURN_IF_ERROR(io.WriteProto(TaskFile::kQuestions, asked.set));
  return io.WriteProto(TaskFile::kSummary, summary);
}

}  // namespace bitwright::worker
