#include "workers/choices/grade.h"

#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "proto/base/status_macros.h"
#include "proto/contract/task_names.h"
#include "workers/tasks/kinds.h"
#include "workers/tasks/task_errors.h"

namespace bitwright::worker {
namespace {

// The scores of all sequences, shard after shard.
absl::StatusOr<std::vector<double>> ReadScores(const v1::GradeParams& params, const v1::QuestionSet& set, TaskIo& io) {
  std::vector<double> scores;
  for (int shard = 0; shard < params.shards(); ++shard) {
    ABSL_ASSIGN_OR_RETURN(const auto file, io.Input(Numbered(TaskFile::kScores, shard)));
    const auto bytes = file->bytes();
    const size_t before = scores.size();
    scores.resize(before + bytes.size() / sizeof(double));
    if (!bytes.empty())
      std::memcpy(scores.data() + before, bytes.data(), bytes.size() / sizeof(double) * sizeof(double));
  }
  if (scores.size() != static_cast<size_t>(set.sequences_size())) {
    return TaskInputDamagedError(TaskFile::kScores, "is of " + std::to_string(scores.size()) + " sequences, not " +
                                                        std::to_string(set.sequences_size()));
  }
  return scores;
}

absl::StatusOr<AnsweredQuestion> Answered(const v1::QuestionSet::Question& question,
                                          const std::vector<double>& scores) {
  AnsweredQuestion answered;
  const bool whole = question.sequences_size() >= 2 && question.characters_size() == question.sequences_size() &&
                     question.answer() >= 0 && question.answer() < question.sequences_size();
  if (!whole) return TaskInputDamagedError(TaskFile::kQuestions, "has a question without two choices, or an answer");
  answered.answer = question.answer();
  for (int c = 0; c < question.sequences_size(); ++c) {
    const int sequence = question.sequences(c);
    if (sequence < 0 || static_cast<size_t>(sequence) >= scores.size()) {
      return TaskInputDamagedError(TaskFile::kQuestions, "has no sequence " + std::to_string(sequence));
    }
    const double score = scores[static_cast<size_t>(sequence)];
    if (!std::isfinite(score)) {
      return TaskInputDamagedError(TaskFile::kScores, "has no finite number for sequence " + std::to_string(sequence));
    }
    answered.log_likelihoods.push_back(score);
    answered.characters.push_back(question.characters(c));
  }
  return answered;
}

}  // namespace

absl::Status RunGrade(const v1::GradeParams& params, TaskIo& io) {
  v1::QuestionSet set;
  ABSL_RETURN_IF_ERROR(io.ReadProto(TaskFile::kQuestions, set));
  ABSL_ASSIGN_OR_RETURN(const std::vector<double> scores, ReadScores(params, set, io));
  if (set.questions().empty()) return TaskInputDamagedError(TaskFile::kQuestions, "has no questions");
  std::vector<AnsweredQuestion> questions;
  for (const v1::QuestionSet::Question& question : set.questions()) {
    ABSL_ASSIGN_OR_RETURN(questions.emplace_back(), Answered(question, scores));
  }
  return io.WriteProto(TaskFile::kGrade, Grade(set.task(), questions));
}

}  // namespace bitwright::worker
