#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include "bitwright/v1/reports.pb.h"
#include "proto/contract/task_names.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/workers/tasks/task_chain.h"
#include "workers/tasks/token_file.h"

// Multiple-choice questions, from their file to a grade.
namespace bitwright::worker {
namespace {

constexpr char kPiqa[] =
    R"({"goal": "Keep bread fresh", "sol1": "put it into a bag", "sol2": "put it into the rain", "label": 0})"
    "\n\n"
    R"({"goal": "See at night", "sol1": "close both eyes", "sol2": "light a lamp, and wait", "label": 1})"
    "\n"
    R"({"goal": "Dry a shirt", "sol1": "hang it up", "sol2": "wash it", "label": 0})";

v1::TaskSpec Questions(int most = 0) {
  v1::TaskSpec spec;
  spec.mutable_questions()->set_max_questions(most);
  spec.mutable_questions()->set_max_positions(128);
  spec.mutable_questions()->set_vocab_size(384);
  return spec;
}

absl::StatusOr<Blobs> RunQuestionsOn(const v1::TaskSpec& spec, const std::string& data) {
  Blobs inputs = SmallModelBlobs();
  inputs[TaskFile::kData] = data;
  return RunOnBlobs(spec, inputs);
}

template <typename Proto>
Proto Parse(const Blobs& blobs, const char* name) {
  Proto message;
  EXPECT_TRUE(blobs.contains(name) && message.ParseFromString(blobs.at(name))) << name;
  return message;
}

std::vector<double> Doubles(const std::string& bytes) {
  std::vector<double> values(bytes.size() / sizeof(double));
  std::memcpy(values.data(), bytes.data(), values.size() * sizeof(double));
  return values;
}

// Of the unquantized model.
absl::StatusOr<Blobs> Score(int begin, int end, int window, const std::string& questions) {
  v1::TaskSpec spec;
  spec.mutable_score()->mutable_sequences()->set_begin(begin);
  spec.mutable_score()->mutable_sequences()->set_end(end);
  spec.mutable_score()->set_window(window);
  Blobs inputs = SmallModelBlobs();
  inputs[TaskFile::kQuestions] = questions;
  return RunOnBlobs(spec, inputs, 2);
}

TEST(Choices, QuestionsBecomeSequencesByRisingLength) {
  ASSERT_OK_AND_ASSIGN(const Blobs outputs, RunQuestionsOn(Questions(), kPiqa));
  const auto set = Parse<v1::QuestionSet>(outputs, TaskFile::kQuestions);
  const auto summary = Parse<v1::QuestionsSummary>(outputs, TaskFile::kSummary);
  EXPECT_EQ(set.task(), v1::PIQA);
  EXPECT_EQ(summary.questions(), 3);
  ASSERT_EQ(set.questions_size(), 3);
  ASSERT_EQ(set.sequences_size(), 6);
  std::vector<int> used;
  for (const auto& question : set.questions())
    used.insert(used.end(), question.sequences().begin(), question.sequences().end());
  std::sort(used.begin(), used.end());
  std::vector<int> all(6);
  std::iota(all.begin(), all.end(), 0);
  EXPECT_EQ(used, all);
  for (int s = 1; s < 6; ++s) EXPECT_LE(set.sequences(s - 1).ids_size(), set.sequences(s).ids_size());
  EXPECT_EQ(set.questions(1).answer(), 1);
  EXPECT_EQ(set.questions(1).characters(1), 22);
  ASSERT_EQ(summary.shards_size(), 1);
  EXPECT_EQ(summary.shards(0).window(), set.sequences(5).ids_size() - 1);
  ASSERT_OK_AND_ASSIGN(const Blobs two, RunQuestionsOn(Questions(2), kPiqa));
  EXPECT_EQ(Parse<v1::QuestionSet>(two, TaskFile::kQuestions).questions_size(), 2);
}

TEST(Choices, FaultsNameTheLine) {
  const auto fault = RunQuestionsOn(Questions(), std::string(kPiqa) + "\n{\"goal\": \"one\"}");
  EXPECT_THAT(fault, HasReason("QUESTION_INVALID"));
  EXPECT_EQ(GetErrorDetail(fault.status())->metadata.at("line"), "5") << "the blank line counts";
  EXPECT_THAT(RunQuestionsOn(Questions(), "\n \n"), HasReason("QUESTION_INVALID"));
  auto narrow = Questions();
  narrow.mutable_questions()->set_vocab_size(5);
  EXPECT_THAT(RunQuestionsOn(narrow, kPiqa), HasReason("TOKEN_ID_OUT_OF_RANGE"));
}

// Padding, and what else a task scores, change nothing.
TEST(Choices, ASequenceIsScoredByItself) {
  ASSERT_OK_AND_ASSIGN(const Blobs asked, RunQuestionsOn(Questions(), kPiqa));
  const std::string& questions = asked.at(TaskFile::kQuestions);
  const auto set = Parse<v1::QuestionSet>(asked, TaskFile::kQuestions);
  ASSERT_OK_AND_ASSIGN(const Blobs whole, Score(0, 6, set.sequences(5).ids_size() - 1, questions));
  const std::vector<double> scores = Doubles(whole.at(TaskFile::kScores));
  ASSERT_EQ(scores.size(), 6u);
  for (int s = 0; s < 6; ++s) {
    ASSERT_OK_AND_ASSIGN(const Blobs one, Score(s, s + 1, set.sequences(s).ids_size() - 1, questions));
    EXPECT_NEAR(Doubles(one.at(TaskFile::kScores))[0], scores[static_cast<size_t>(s)], 1e-4) << s;
    EXPECT_LT(scores[static_cast<size_t>(s)], -1) << "a model that knows nothing";
  }
  EXPECT_THAT(Score(0, 7, 100, questions), HasReason("TASK_INPUT_DAMAGED")) << "there are six";
  EXPECT_THAT(Score(0, 6, 10, questions), HasReason("TASK_INPUT_DAMAGED")) << "too short a window";
  EXPECT_THAT(Score(0, 6, 100, "damaged"), HasReason("TASK_INPUT_DAMAGED"));
}

// What evaluate says of the unquantized model's tokens, another way.
TEST(Choices, AScoreIsTheLossOfItsTokens) {
  const Chain chain = RunChain(1);
  const auto evaluate = std::ranges::find_if(chain.tasks, [](const ChainTask& t) { return t.spec.has_evaluate(); });
  const TempDir dir;
  BITWRIGHT_ASSERT_OK(WriteFile(dir / "tokens", chain.outputs.at(OutputOf(TaskKind::kEvaluate, TaskFile::kTokens))));
  TokenStats stats;
  BITWRIGHT_ASSERT_OK(AppendTokenStats(dir / "tokens", stats));
  const std::string& ids = evaluate->inputs.at(TaskFile::kIds);
  v1::QuestionSet set;
  auto& sequence = *set.add_sequences();
  for (size_t t = 0; t < 16; ++t) {
    int32_t id = 0;
    std::memcpy(&id, ids.data() + t * sizeof id, sizeof id);
    sequence.add_ids(id);
  }
  sequence.set_scored(15);
  ASSERT_OK_AND_ASSIGN(const Blobs outputs, Score(0, 1, 15, set.SerializeAsString()));
  const double loss = std::accumulate(stats.nll_base.begin(), stats.nll_base.begin() + 15, 0.0);
  EXPECT_NEAR(Doubles(outputs.at(TaskFile::kScores))[0], -loss, 1e-4 * loss);
}

TEST(Choices, AGradeNeedsEveryScore) {
  ASSERT_OK_AND_ASSIGN(const Blobs asked, RunQuestionsOn(Questions(), kPiqa));
  v1::TaskSpec spec;
  spec.mutable_grade()->set_shards(2);
  const auto bytes = [](const std::vector<double>& values) {
    return std::string(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(double));
  };
  const auto grade = [&](const std::vector<double>& first, const std::vector<double>& second) {
    return RunOnBlobs(spec, {{TaskFile::kQuestions, asked.at(TaskFile::kQuestions)},
                             {Numbered(TaskFile::kScores, 0), bytes(first)},
                             {Numbered(TaskFile::kScores, 1), bytes(second)}});
  };
  const auto set = Parse<v1::QuestionSet>(asked, TaskFile::kQuestions);
  std::vector<double> scores(6, -2);
  for (const auto& question : set.questions()) scores[static_cast<size_t>(question.sequences(question.answer()))] = -1;
  ASSERT_OK_AND_ASSIGN(const Blobs outputs, grade({scores.begin(), scores.begin() + 4}, {scores[4], scores[5]}));
  const auto found = Parse<v1::ChoiceGrade>(outputs, TaskFile::kGrade);
  EXPECT_EQ(found.questions(), 3);
  EXPECT_EQ(found.metrics(0).value(), 1);
  EXPECT_THAT(grade(scores, {}), IsOk());
  EXPECT_THAT(grade({scores.begin(), scores.begin() + 4}, {}), HasReason("TASK_INPUT_DAMAGED"));
  EXPECT_THAT(grade(scores, scores), HasReason("TASK_INPUT_DAMAGED"));
  scores[3] = std::nan("");
  EXPECT_THAT(grade(scores, {}), HasReason("TASK_INPUT_DAMAGED"));
}

}  // namespace
}  // namespace bitwright::worker
